"""Values of a diagnosis."""

from dataclasses import dataclass
from enum import StrEnum

from bootrescue.boot.model import BootChain, BootEntry, Candidate


class State(StrEnum):
    """What is known of one link of the way to a running system."""

    PROVED = "proved"
    BROKEN = "broken"
    UNKNOWN = "unknown"


class Verdict(StrEnum):
    """Whether an entry boots. Unknown is never turned into boots."""

    BOOTS = "boots"
    DOES_NOT_BOOT = "does-not-boot"
    UNKNOWN = "unknown"


class Severity(StrEnum):
    """What a finding means for the next boot."""

    FATAL = "fatal"
    WARNING = "warning"
    NOTE = "note"


class Fit(StrEnum):
    """Whether an image can boot this machine."""

    FITS = "fits"
    DOES_NOT_FIT = "does-not-fit"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What supports a statement: a file of the target, a byte offset in it (-1: the whole), and what is there.

    A file inside an image is written as `image!name`.
    """

    path: str
    text: str
    offset: int = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One link of the chain from the loader to init."""

    link: str
    state: State
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A rule's verdict on one thing.

    Attributes:
        rule: the rule's name, which is the name of its file with dashes.
        subject: the path it is about.
        summary: one plain sentence.
        entries: ids of the boot entries that it touches.
        remedies: the kinds of step that answer it, least harm first.
    """

    rule: str
    severity: Severity
    subject: str
    summary: str
    evidence: tuple[Evidence, ...]
    entries: tuple[str, ...] = ()
    remedies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryDiagnosis:
    """The verdict on one entry, with the chain it follows from."""

    entry: BootEntry
    verdict: Verdict
    chain: tuple[Link, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageChange:
    """How an image's modules differ from another's, by module name."""

    modules_added: tuple[str, ...] = ()
    modules_removed: tuple[str, ...] = ()
    modules_changed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedCandidate:
    """A candidate with its fit for one entry.

    Attributes:
        rank: 1 is the best; candidates of equal standing share a rank.
        compared: what would change against the image that the entry uses now.
    """

    candidate: Candidate
    fit: Fit
    reasons: tuple[Link, ...]
    compared: ImageChange
    rank: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """What one installed system's boot looks like."""

    chain: BootChain
    entries: tuple[EntryDiagnosis, ...]
    findings: tuple[Finding, ...]

    @property
    def default(self) -> EntryDiagnosis | None:
        """The entry that the next boot takes."""
        return next((found for found in self.entries if found.entry.default), None)

"""The documents that other people's scripts rely on (docs/reference/json.md): members grow, and never change meaning.

Sizes end in `_bytes`, offsets are byte offsets, durations end in `_seconds`, digests are lower-case hex SHA-256.
"""

from dataclasses import dataclass

SCHEMA = "bootrescue/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceDocument:
    """A block device with what is on it."""

    path: str
    kind: str
    size_bytes: int
    serial: str
    model: str
    partition_table: str
    children: tuple["DeviceDocument", ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSystemDocument:
    """A file system."""

    uuid: str
    type: str
    label: str
    device: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceDocument:
    """Where a boot entry is written."""

    path: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FileDocument:
    """A file that a boot entry names, as a path on the target; `path` is empty where that could not be told."""

    role: str
    written: str
    path: str
    exists: bool
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryDocument:
    """A boot entry."""

    id: str
    title: str
    kind: str
    source: SourceDocument
    submenu: tuple[str, ...]
    kernel: str
    initrds: tuple[str, ...]
    command_line: str
    default: bool
    verdict: str
    files: tuple[FileDocument, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EntriesDocument:
    """The answer of `entries list`."""

    entries: tuple[EntryDocument, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelDocument:
    """A kernel of an installed system; a missing half is an empty text."""

    release: str
    image: str
    modules_directory: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemDocument:
    """An installed system."""

    id: str
    name: str
    version: str
    machine_id: str
    root: str
    boot: str
    esp: str
    firmware: str
    kernels: tuple[KernelDocument, ...]
    entries: tuple[EntryDocument, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanDocument:
    """The answer of `scan`."""

    devices: tuple[DeviceDocument, ...]
    file_systems: tuple[FileSystemDocument, ...]
    systems: tuple[SystemDocument, ...]
    unread: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceDocument:
    """What supports a statement; offset -1 means the whole file."""

    path: str
    offset: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkDocument:
    """One link of the way to a running system."""

    link: str
    state: str
    evidence: tuple[EvidenceDocument, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryVerdictDocument:
    """The verdict on one entry."""

    id: str
    title: str
    default: bool
    verdict: str
    chain: tuple[LinkDocument, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingDocument:
    """A rule's verdict."""

    rule: str
    severity: str
    subject: str
    summary: str
    entries: tuple[str, ...]
    evidence: tuple[EvidenceDocument, ...]
    remedies: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemDiagnosisDocument:
    """What was found of one system."""

    id: str
    name: str
    entries: tuple[EntryVerdictDocument, ...]
    findings: tuple[FindingDocument, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DiagnosisDocument:
    """The answer of `diagnose`."""

    systems: tuple[SystemDiagnosisDocument, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonDocument:
    """How a candidate's modules differ from those of the image in use."""

    modules_added: tuple[str, ...]
    modules_removed: tuple[str, ...]
    modules_changed: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateDocument:
    """A backup image with its fit."""

    path: str
    paths: tuple[str, ...]
    file_system: str
    grub_path: str
    sha256: str
    size_bytes: int
    generator: str
    kernel_releases: tuple[str, ...]
    modified: str
    fit: str
    reasons: tuple[LinkDocument, ...]
    compared_to_current: ComparisonDocument
    used_by: tuple[str, ...]
    rank: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupsDocument:
    """The answer of `backups`."""

    system: str
    entry: str
    candidates: tuple[CandidateDocument, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepDocument:
    """One step of a plan; `before_sha256` may be `absent`, `after_sha256` may be `computed`."""

    kind: str
    path: str
    before_sha256: str
    after_sha256: str
    undo: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanDocument:
    """A plan."""

    id: str
    system: str
    steps: tuple[StepDocument, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeDocument:
    """A file that a transaction replaced."""

    path: str
    before_sha256: str
    after_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionDocument:
    """A transaction; `journal` and `backups` are paths on the target."""

    id: str
    state: str
    started: str
    journal: str
    backups: tuple[str, ...]
    changes: tuple[ChangeDocument, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofDocument:
    """One kind of proof."""

    outcome: str
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationDocument:
    """All kinds of proof."""

    recheck: ProofDocument
    grub_view: ProofDocument
    fit: ProofDocument
    boot_proof: ProofDocument


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairDocument:
    """The answer of `plan`, `apply`, `rollback`, `undo` and `verify`; what does not apply is null."""

    plan: PlanDocument | None = None
    transaction: TransactionDocument | None = None
    verification: VerificationDocument | None = None
    preview: tuple[str, ...] = ()
    already_so: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryDocument:
    """The answer of `history`."""

    transactions: tuple[TransactionDocument, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelViewDocument:
    """What the kernel would make of an image."""

    accepted: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentDocument:
    """A segment of an image."""

    offset: int
    stored_size_bytes: int
    size_bytes: int
    codec: str
    role: str
    entry_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleDocument:
    """A kernel module inside an image."""

    name: str
    path: str
    version: str
    vermagic: str
    stripped: bool
    signed: bool
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageDocument:
    """The answer of `image examine`."""

    path: str
    size_bytes: int
    sha256: str
    complete: bool
    kernel_view: KernelViewDocument
    proved: bool
    problems: tuple[str, ...]
    generator: str
    generator_version: str
    kernel_releases: tuple[str, ...]
    segments: tuple[SegmentDocument, ...]
    modules: tuple[ModuleDocument, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberDocument:
    """A file in an image; `segment` counts from 0, `mode` is octal."""

    name: str
    mode: str
    size_bytes: int
    segment: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingDocument:
    """The answer of `image list`."""

    entries: tuple[MemberDocument, ...]
    complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorDocument:
    """Why a command could not do what was asked."""

    what: str
    where: str
    hint: str
    exit_code: int

"""Values of a verification."""

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """What came of one kind of proof."""

    PROVED = "proved"
    FAILED = "failed"
    NOT_ASKED = "not-asked"
    NOT_POSSIBLE = "not-possible"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """One kind of proof, with what supports its outcome in words."""

    outcome: Outcome
    evidence: tuple[str, ...] = ()


NOT_ASKED = Proof(outcome=Outcome.NOT_ASKED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """All kinds of proof for one target."""

    recheck: Proof = NOT_ASKED
    grub_view: Proof = NOT_ASKED
    fit: Proof = NOT_ASKED
    boot_proof: Proof = NOT_ASKED

    @property
    def failed(self) -> bool:
        """Whether any proof that was made speaks against the target."""
        return Outcome.FAILED in {found.outcome for found in (self.recheck, self.grub_view, self.fit, self.boot_proof)}

    def unproved(self, *, boot: bool) -> bool:
        """Whether something that was asked for is not proved."""
        asked = (self.fit, self.boot_proof) if boot else (self.fit,)
        return self.failed or any(found.outcome is not Outcome.PROVED for found in asked)

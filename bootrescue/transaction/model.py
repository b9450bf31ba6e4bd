"""Values of a transaction."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Final

from bootrescue.host.attributes import Attributes

STATE_DIRECTORY: Final = PurePosixPath("/var/lib/bootrescue")


class TransactionState(StrEnum):
    """How far a transaction came, as its journal tells."""

    INTERRUPTED = "interrupted"
    COMMITTED = "committed"
    TAKEN_BACK = "taken-back"
    UNDONE = "undone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One file that was replaced, or was about to be.

    Attributes:
        backup: the name of the old content in the transaction's directory; empty when there was no such file.
        before_sha256, after_sha256: lower-case hex; `absent` when there was no such file.
    """

    path: PurePosixPath
    before_sha256: str
    after_sha256: str
    backup: str
    attributes: Attributes


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """What a journal on the target tells."""

    id: str
    plan_id: str
    started: str
    state: TransactionState
    changes: tuple[Change, ...]

    @property
    def directory(self) -> PurePosixPath:
        """Where its journal and backups lie on the target."""
        return STATE_DIRECTORY / self.id

    @property
    def journal(self) -> PurePosixPath:
        """Its journal on the target."""
        return self.directory / "journal.jsonl"

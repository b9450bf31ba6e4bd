"""Back to the bytes before, from the journal: every file of a transaction, in reverse order."""

from pathlib import PurePosixPath

from bootrescue.errors import RefusedError
from bootrescue.host.durable import digest_of, read_chunks, remove, replace, settle
from bootrescue.plan.model import ABSENT
from bootrescue.transaction.journal import Journal
from bootrescue.transaction.model import Change, Transaction, TransactionState
from bootrescue.transaction.target import Target


def undo(target: Target, transaction: Transaction) -> bool:
    """Undo a transaction, also one that was interrupted; False when it was undone or taken back before.

    Raises:
        OSError: the target cannot be written to.
        RefusedError: a file was changed by somebody else since; nothing was written.
    """
    if transaction.state in {TransactionState.UNDONE, TransactionState.TAKEN_BACK}:
        return False
    _require_untouched(target, transaction)
    journal = Journal(root=target.root, id=transaction.id)
    journal.write("undo-started")
    take_back(target, transaction.directory, transaction.changes)
    journal.write("undone")
    for mount_point in target.mount_points:
        settle(mount_point)
    return True


def _require_untouched(target: Target, transaction: Transaction) -> None:
    for path, states in _states_by_path(transaction.changes).items():
        now = digest_of(target.root, path) or ABSENT
        if now not in states:
            raise RefusedError(
                "was changed by somebody else since; undoing would lose that",
                where=str(path),
                hint="save that file elsewhere first; the old content lies beside the journal",
            )
    for change in transaction.changes:
        if change.backup:
            kept = digest_of(target.root, transaction.directory / change.backup, from_device=True)
            if kept != change.before_sha256:
                raise RefusedError("the backup is damaged", where=str(transaction.directory / change.backup))


def _states_by_path(changes: tuple[Change, ...]) -> dict[PurePosixPath, set[str]]:
    """Every content that the transaction itself may have left under each path."""
    states: dict[PurePosixPath, set[str]] = {}
    for change in changes:
        states.setdefault(change.path, set()).update({change.before_sha256, change.after_sha256})
    return states


def take_back(target: Target, directory: PurePosixPath, changes: tuple[Change, ...]) -> None:
    """Put the old content of each change back, the last change first, and settle the file systems.

    Raises:
        OSError: the target cannot be written to.
        RefusedError: a backup is not what was kept.
    """
    root = target.root
    for change in reversed(changes):
        if (digest_of(root, change.path) or ABSENT) == change.before_sha256:
            continue
        if not change.backup:
            remove(root, change.path)
            continue
        old = read_chunks(root, directory / change.backup)
        replace(root, change.path, old, change.attributes, expect_sha256=change.before_sha256)
    for mount_point in target.mount_points:
        settle(mount_point)

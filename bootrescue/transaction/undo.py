"""Back to the bytes before, from the journal: every file of a transaction, in reverse order."""

from pathlib import PurePosixPath

from bootrescue.errors import BootRescueError, MachineLacksError, NotTakenBackError, RefusedError
from bootrescue.host.durable import discard_staged, remove, replace
from bootrescue.host.reading import digest_of, read_chunks
from bootrescue.plan.model import ABSENT
from bootrescue.transaction.journal import Journal
from bootrescue.transaction.model import Change, Transaction, TransactionState
from bootrescue.transaction.space import Write, require_space, size_of
from bootrescue.transaction.target import Target, settle_all


def undo(target: Target, transaction: Transaction) -> bool:
    """Undo a transaction, also one that was interrupted; False when it was undone or taken back before.

    Raises:
        MachineLacksError: too little space, or the journal cannot be written to; nothing was put back.
        NotTakenBackError: it failed half-way; another undo goes on from there.
        OSError: the target cannot be read; nothing was put back.
        RefusedError: a file was changed by somebody else since, or a backup is damaged; nothing was written.
    """
    if transaction.state in {TransactionState.UNDONE, TransactionState.TAKEN_BACK}:
        return False
    _require_untouched(target, transaction)
    journal = Journal(root=target.root, id=transaction.id)
    try:
        journal.write("undo-started")
    except OSError as error:
        raise MachineLacksError(f"cannot be written to: {error.strerror}", where=str(journal.path)) from error
    try:
        take_back(target, transaction.directory, transaction.changes)
        for directory in sorted({change.path.parent for change in transaction.changes}):
            discard_staged(target.root, directory)
        journal.write("undone")
    except (OSError, BootRescueError) as error:
        raise NotTakenBackError(
            f"not everything could be put back: {error}",
            where=str(journal.path),
            hint=f"once the cause is gone, go on with bootrescue undo {transaction.id}",
        ) from error
    return True


def _require_untouched(target: Target, transaction: Transaction) -> None:
    root = target.root
    states = _states_by_path(transaction.changes)
    writes = []
    for change in _first_of_each(transaction.changes):
        now = digest_of(root, change.path) or ABSENT
        if now not in states[change.path]:
            raise RefusedError(
                "was changed by somebody else since; undoing would lose that",
                where=str(change.path),
                hint="save that file elsewhere first; the old content lies beside the journal",
            )
        backup = transaction.directory / change.backup
        if now == change.before_sha256 or not change.backup:
            continue
        if digest_of(root, backup, from_device=True) != change.before_sha256:
            raise RefusedError("the backup is damaged", where=str(backup), hint="undoing would put damage in place")
        writes.append(Write(path=change.path, size_bytes=size_of(root, backup), kept=False))
    require_space(root, writes)


def _states_by_path(changes: tuple[Change, ...]) -> dict[PurePosixPath, set[str]]:
    """Every content that the transaction itself may have left under each path."""
    states: dict[PurePosixPath, set[str]] = {}
    for change in changes:
        states.setdefault(change.path, set()).update({change.before_sha256, change.after_sha256})
    return states


def _first_of_each(changes: tuple[Change, ...]) -> list[Change]:
    """The last path changed first, and for each path its first change: the one that knows what was there before."""
    first: dict[PurePosixPath, Change] = {}
    for change in changes:
        first.setdefault(change.path, change)
    return list(reversed(first.values()))


def take_back(target: Target, directory: PurePosixPath, changes: tuple[Change, ...]) -> None:
    """Put the content from before the first change back under each path, and settle the file systems.

    Raises:
        OSError: the target cannot be written to.
        RefusedError: a backup is not what was kept.
    """
    root = target.root
    for change in _first_of_each(changes):
        if (digest_of(root, change.path) or ABSENT) == change.before_sha256:
            continue
        if not change.backup:
            remove(root, change.path)
            continue
        old = read_chunks(root, directory / change.backup)
        replace(root, change.path, old, change.attributes, expect_sha256=change.before_sha256)
    settle_all(target)

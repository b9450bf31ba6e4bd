"""undo: back to the bytes before a transaction, rechecked."""

from bootrescue.errors import NotTakenBackError, UsageError
from bootrescue.host.durable import locked
from bootrescue.host.host import Host
from bootrescue.operations.apply import Repaired, open_target
from bootrescue.operations.history import read_transactions
from bootrescue.operations.targets import TargetChoice, choose_system, look
from bootrescue.operations.verify import grub_view_of
from bootrescue.plan.model import ABSENT
from bootrescue.report.model import RepairDocument
from bootrescue.report.repairing import transaction_document, verification_document
from bootrescue.systems.model import InstalledSystem
from bootrescue.transaction.model import Transaction, TransactionState
from bootrescue.transaction.undo import undo as undo_transaction
from bootrescue.verification.model import Outcome, Verification
from bootrescue.verification.recheck import recheck

OPEN_STATES = frozenset({TransactionState.COMMITTED, TransactionState.INTERRUPTED})


def choose_transaction(system: InstalledSystem, wanted: str) -> Transaction:
    """The transaction asked for, or the last one that is not undone yet.

    Raises:
        UsageError: there is none.
    """
    found = read_transactions(system)
    if wanted:
        named = [one for one in found if one.id == wanted]
        if not named:
            raise UsageError("there is no such transaction on this target", where=wanted, hint="see bootrescue history")
        return named[0]
    left = [one for one in found if one.state in OPEN_STATES]
    if not left:
        raise UsageError("there is nothing to undo on this target", where=system.id, hint="see bootrescue history")
    return left[-1]


def undo(host: Host, choice: TargetChoice, wanted: str) -> Repaired:
    """Undo a transaction; one that is undone already is left alone.

    Raises:
        RefusedError: a file was changed by somebody else since; nothing was written.
        NotTakenBackError: what was put back is not what the journal says.
        BootRescueError: as operations.targets.
    """
    with host.scope() as looking:
        system = choose_system(look(looking, choice.source), choice.system)
        found = choose_transaction(system, wanted)
    expected = {change.path: change.before_sha256 for change in reversed(found.changes)}
    with locked(system.root.piece.path), host.scope() as writing:
        target = open_target(writing, system, tuple(expected))
        was_open = undo_transaction(target, found)
        read_back = recheck(target.root, expected) if was_open else Verification().recheck
    if read_back.outcome is Outcome.FAILED:
        raise NotTakenBackError("; ".join(read_back.evidence), where=str(found.journal))
    present = {path: digest for path, digest in expected.items() if digest != ABSENT}
    seen = grub_view_of(system, present) if was_open else Verification().grub_view
    with host.scope() as looking:
        after = choose_transaction(choose_system(look(looking, choice.source), choice.system), found.id)
    document = RepairDocument(
        transaction=transaction_document(after),
        verification=verification_document(Verification(recheck=read_back, grub_view=seen)),
        already_so=not was_open,
    )
    return Repaired(document=document, proved=seen.outcome is not Outcome.FAILED, console=b"")

"""undo: back to the bytes before a transaction, rechecked."""

from functools import partial

from bootrescue.errors import UsageError
from bootrescue.host.confined import ConfinedRoot
from bootrescue.host.host import Host
from bootrescue.operations.targets import TargetChoice, choose_system, look
from bootrescue.operations.verify import grub_view_of
from bootrescue.operations.writing import Repaired, devices_of, put_back
from bootrescue.plan.model import ABSENT
from bootrescue.report.model import RepairDocument
from bootrescue.report.repairing import transaction_document, verification_document
from bootrescue.transaction.model import Transaction, TransactionState
from bootrescue.verification.model import Outcome, Verification

OPEN_STATES = frozenset({TransactionState.COMMITTED, TransactionState.INTERRUPTED})


def choose_transaction(wanted: str, found: tuple[Transaction, ...]) -> Transaction:
    """The transaction asked for, or the last one that is not undone yet.

    Raises:
        UsageError: there is none.
    """
    if wanted:
        named = [one for one in found if one.id == wanted]
        if not named:
            raise UsageError("there is no such transaction on this target", where=wanted, hint="see bootrescue history")
        return named[0]
    left = [one for one in found if one.state in OPEN_STATES]
    if not left:
        raise UsageError("there is nothing to undo on this target", hint="see bootrescue history")
    return left[-1]


def undo(host: Host, choice: TargetChoice, wanted: str) -> Repaired:
    """Undo a transaction; one that is undone already is left alone.

    Raises:
        RefusedError: a file was changed by somebody else since; nothing was written.
        NotTakenBackError: it failed half-way, or what was put back is not what the journal says.
        BootRescueError: as operations.targets.
    """
    with host.scope() as looking:
        system = choose_system(look(looking, choice.source), choice.system)
        state_devices = devices_of(system, ConfinedRoot(path=system.directory), ())
    done = put_back(host, system, state_devices, partial(choose_transaction, wanted))
    verification = Verification()
    if done.recheck is not None:
        present = {path: digest for path, digest in done.expected.items() if digest != ABSENT}
        verification = Verification(recheck=done.recheck, grub_view=grub_view_of(system, present))
    document = RepairDocument(
        transaction=transaction_document(done.transaction),
        verification=verification_document(verification),
        already_so=done.recheck is None,
    )
    return Repaired(document=document, proved=verification.grub_view.outcome is not Outcome.FAILED, console=b"")

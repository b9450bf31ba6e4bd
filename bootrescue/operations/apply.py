"""apply: carry a plan out, recheck what was written, commit or take back, and verify the result."""

from dataclasses import dataclass, replace
from functools import partial

from bootrescue.errors import BootRescueError, CancelledError, DecisionNeededError, RefusedError, TakenBackError
from bootrescue.host.confined import ConfinedRoot
from bootrescue.host.host import Host
from bootrescue.operations.targets import TargetChoice, View, look
from bootrescue.operations.undo import choose_transaction
from bootrescue.operations.verify import grub_view_of, prove
from bootrescue.operations.writing import Repaired, devices_of, disks_locked, open_target, put_back
from bootrescue.plan.model import Plan
from bootrescue.report.model import RepairDocument
from bootrescue.report.repairing import plan_document, transaction_document, verification_document
from bootrescue.systems.model import InstalledSystem
from bootrescue.transaction import apply as transaction
from bootrescue.transaction.check import check
from bootrescue.transaction.journal import read_history
from bootrescue.transaction.model import Transaction, TransactionState
from bootrescue.transaction.target import Target
from bootrescue.verification.boot_proof import require_possible
from bootrescue.verification.model import NOT_ASKED, Outcome, Proof, Verification
from bootrescue.verification.recheck import recheck

REPLAYED = "only the file system's own journal was replayed, as any boot would have done; nothing else was written"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Written:
    """A committed transaction, and what was proved while the target was open."""

    transaction: Transaction
    verification: Verification


def apply(host: Host, choice: TargetChoice, plan: Plan, *, boot: bool) -> Repaired:
    """Carry a plan out; with `boot`, prove the result by a boot in QEMU. A failed proof takes everything back.

    Raises:
        RefusedError: the target is not what the plan was made for; nothing was written.
        TakenBackError: something failed; the target is as before.
        NotTakenBackError: something failed, and so did taking it back.
        MachineLacksError: space, a tool or a privilege is missing; nothing was written.
    """
    if boot:
        require_possible()
    with host.scope() as looking:
        system = system_of(look(looking, choice.source), choice, plan)
        root = ConfinedRoot(path=system.directory)
        _refuse_unfinished(root)
        is_open = bool(check(looking, root, plan))
        devices = devices_of(system, root, (step.path for step in plan.steps))
    choice = replace(choice, system=system.id)
    written = _write(host, system, plan, devices) if is_open else None
    if written is None:
        verification, console = prove(host, choice, system.id, boot=boot)
        return _repaired(plan, None, verification, console, boot=boot)
    verification, console = _prove_written(host, choice, written, boot=boot)
    if verification.boot_proof.outcome is Outcome.FAILED:
        _undo_unproved(host, system, devices, written.transaction.id, verification.boot_proof)
    return _repaired(plan, written.transaction, verification, console, boot=boot)


def _repaired(
    plan: Plan, done: Transaction | None, verification: Verification, console: bytes, *, boot: bool
) -> Repaired:
    document = RepairDocument(
        plan=plan_document(plan),
        transaction=None if done is None else transaction_document(done),
        verification=verification_document(verification),
        already_so=done is None,
    )
    return Repaired(document=document, proved=not verification.unproved(boot=boot), console=console)


def system_of(view: View, choice: TargetChoice, plan: Plan) -> InstalledSystem:
    """The system that a plan was made for.

    Raises:
        DecisionNeededError: several answer to what the plan says.
        RefusedError: it is not on this machine.
    """
    machine = plan.machine
    found = [
        system
        for system in view.systems
        if choice.system in {"", system.id}
        and machine.machine_id in {"", system.machine_id}
        and machine.root_uuid in {"", system.root.uuid}
        and plan.system in {"", system.id}
    ]
    if len(found) > 1:
        names = ", ".join(f"{system.id} on {system.root.device}" for system in found)
        raise DecisionNeededError(f"the plan fits several systems: {names}", hint="choose one with --system or --disk")
    if found:
        return found[0]
    wanted = machine.machine_id or machine.root_uuid or plan.system
    raise RefusedError(
        f"this is not the machine that the plan was made for ({wanted})",
        where=", ".join(system.id for system in view.systems) or "no system found",
        hint="make a plan on this machine: bootrescue plan",
    )


def _refuse_unfinished(root: ConfinedRoot) -> None:
    for found in read_history(root):
        if found.state is TransactionState.INTERRUPTED:
            raise RefusedError(
                "an earlier transaction was interrupted",
                where=found.id,
                hint=f"take it back first: bootrescue undo {found.id}",
            )


def _write(host: Host, system: InstalledSystem, plan: Plan, devices: frozenset[str]) -> _Written | None:
    """Apply, recheck, commit: all while the target is open for writing. None when it turns out to be already so."""
    with disks_locked(system), host.scope() as writing:
        target = open_target(writing, system, devices)
        try:
            # What was seen before may be older than what the file systems' journals made of it when they were mounted
            _refuse_unfinished(target.root)
            steps = check(writing, target.root, plan)
        except RefusedError as error:
            raise RefusedError(f"{error.what} ({REPLAYED})", where=error.where, hint=error.hint) from error
        if not steps:
            return None
        applied = transaction.apply(writing, steps, target, plan.id)
        try:
            proved = _recheck(target, system, applied)
            transaction.commit(target, applied)
        except (OSError, BootRescueError, KeyboardInterrupt) as error:
            transaction.take_back_after(target, applied, error)
        done = next(found for found in read_history(target.root) if found.id == applied.journal.id)
    return _Written(transaction=done, verification=proved)


def _recheck(target: Target, system: InstalledSystem, applied: transaction.Applied) -> Verification:
    expected = {change.path: change.after_sha256 for change in applied.changes}
    written = Verification(recheck=recheck(target.root, expected), grub_view=grub_view_of(system, expected))
    for proof in (written.recheck, written.grub_view):
        if proof.outcome is Outcome.FAILED:
            raise TakenBackError("; ".join(proof.evidence))
    return written


def _prove_written(host: Host, choice: TargetChoice, written: _Written, *, boot: bool) -> tuple[Verification, bytes]:
    """Judge the repaired machine anew. What cannot be proved now is said so: the repair itself is done and rechecked.

    Raises:
        CancelledError: the operator did not wait for the proof; the repair stands.
    """
    name = written.transaction.id
    try:
        verification, console = prove(host, choice, choice.system, boot=boot)
    except (CancelledError, KeyboardInterrupt) as error:
        raise CancelledError(
            "stopped before the repair was proved; it stands, rechecked",
            where=name,
            hint=f"bootrescue undo {name} takes it back",
        ) from error
    except BootRescueError as error:
        unproved = Proof(outcome=Outcome.NOT_POSSIBLE, evidence=(str(error),))
        verification, console = Verification(fit=unproved, boot_proof=unproved if boot else NOT_ASKED), b""
    seen = written.verification
    return replace(verification, recheck=seen.recheck, grub_view=seen.grub_view), console


def _undo_unproved(host: Host, system: InstalledSystem, devices: frozenset[str], name: str, proof: Proof) -> None:
    """Take a committed transaction back because its result does not boot."""
    put_back(host, system, devices, partial(choose_transaction, name))
    raise TakenBackError(
        f"the repair was not proved and was taken back: {'; '.join(proof.evidence)}",
        where=name,
        hint="bootrescue backups shows other candidates",
    )

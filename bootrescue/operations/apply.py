"""apply: carry a plan out, recheck what was written, commit or take back, and verify the result."""

from dataclasses import dataclass
from pathlib import PurePosixPath

from bootrescue.errors import BootRescueError, RefusedError, TakenBackError
from bootrescue.host.confined import ConfinedRoot
from bootrescue.host.durable import locked
from bootrescue.host.host import Host
from bootrescue.operations.history import read_transactions
from bootrescue.operations.targets import TargetChoice, View, look
from bootrescue.operations.verify import grub_view_of, prove
from bootrescue.plan.model import Plan
from bootrescue.report.model import RepairDocument
from bootrescue.report.repairing import plan_document, transaction_document, verification_document
from bootrescue.systems.discover import reopen
from bootrescue.systems.model import InstalledSystem
from bootrescue.transaction import apply as transaction
from bootrescue.transaction.model import STATE_DIRECTORY, TransactionState
from bootrescue.transaction.target import Target
from bootrescue.transaction.undo import undo as undo_transaction
from bootrescue.verification.boot_proof import require_possible
from bootrescue.verification.model import Outcome, Proof, Verification
from bootrescue.verification.recheck import recheck


@dataclass(frozen=True, slots=True, kw_only=True)
class Repaired:
    """The document, whether all that was asked for is proved, and the console of the boot proof."""

    document: RepairDocument
    proved: bool
    console: bytes


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
        _refuse_unfinished(system)
        is_open = transaction.check(ConfinedRoot(path=system.directory), plan)
    if not is_open:
        verification, console = prove(host, choice, system.id, boot=boot)
        document = RepairDocument(
            plan=plan_document(plan), already_so=True, verification=verification_document(verification)
        )
        return Repaired(document=document, proved=not verification.unproved(boot=boot), console=console)
    name, written = _write(host, system, plan)
    verification, console = prove(host, choice, system.id, boot=boot)
    verification = Verification(
        recheck=written.recheck, grub_view=written.grub_view, fit=verification.fit, boot_proof=verification.boot_proof
    )
    if verification.boot_proof.outcome is Outcome.FAILED:
        _undo_after(host, system, name, verification.boot_proof)
    with host.scope() as looking:
        after = system_of(look(looking, choice.source), choice, plan)
        done = next(found for found in read_transactions(after) if found.id == name)
    document = RepairDocument(
        plan=plan_document(plan),
        transaction=transaction_document(done),
        verification=verification_document(verification),
    )
    return Repaired(document=document, proved=not verification.unproved(boot=boot), console=console)


def system_of(view: View, choice: TargetChoice, plan: Plan) -> InstalledSystem:
    """The system that a plan was made for.

    Raises:
        RefusedError: it is not on this machine.
    """
    machine = plan.machine
    for system in view.systems:
        if choice.system not in {"", system.id}:
            continue
        same_id = machine.machine_id in {"", system.machine_id}
        if same_id and machine.root_uuid in {"", system.root.uuid} and plan.system in {"", system.id}:
            return system
    wanted = machine.machine_id or machine.root_uuid or plan.system
    raise RefusedError(
        f"this is not the machine that the plan was made for ({wanted})",
        where=", ".join(system.id for system in view.systems) or "no system found",
        hint="make a plan on this machine: bootrescue plan",
    )


def _refuse_unfinished(system: InstalledSystem) -> None:
    for found in read_transactions(system):
        if found.state is TransactionState.INTERRUPTED:
            raise RefusedError(
                "an earlier transaction was interrupted",
                where=found.id,
                hint=f"take it back first: bootrescue undo {found.id}",
            )


def devices_of(system: InstalledSystem, paths: tuple[PurePosixPath, ...]) -> frozenset[str]:
    """The block devices that hold these paths and the journal: the only ones opened for writing."""
    return frozenset(system.mount_of(path).file_system.device for path in (*paths, STATE_DIRECTORY))


def open_target(host: Host, system: InstalledSystem, paths: tuple[PurePosixPath, ...]) -> Target:
    """Open a system for writing: the file systems of these paths and the journal's, no others.

    Raises:
        MachineLacksError: a file system cannot be mounted for writing.
    """
    if system.root.type == "directory":
        return Target(root=ConfinedRoot(path=system.directory), mount_points=(system.directory,))
    writable = devices_of(system, paths)
    opened = reopen(host, system, writable)
    root = ConfinedRoot(path=opened.directory)
    places = [mount.mount_point for mount in opened.mounts if mount.file_system.device in writable]
    return Target(root=root, mount_points=tuple(root.here(place) for place in places))


def _write(host: Host, system: InstalledSystem, plan: Plan) -> tuple[str, Verification]:
    """Apply, recheck, commit: all while the target is open for writing. Gives the transaction's id."""
    paths = tuple(step.path for step in plan.steps)
    with locked(system.root.piece.path), host.scope() as writing:
        target = open_target(writing, system, paths)
        transaction.check(target.root, plan)
        applied = transaction.apply(writing, plan, target)
        try:
            written = _recheck(target, system, applied)
            transaction.commit(target, applied)
        except (OSError, BootRescueError, KeyboardInterrupt) as error:
            transaction.take_back_after(target, applied, error)
    return applied.journal.id, written


def _recheck(target: Target, system: InstalledSystem, applied: transaction.Applied) -> Verification:
    expected = {change.path: change.after_sha256 for change in applied.changes}
    written = Verification(recheck=recheck(target.root, expected), grub_view=grub_view_of(system, expected))
    for proof in (written.recheck, written.grub_view):
        if proof.outcome is Outcome.FAILED:
            raise TakenBackError("; ".join(proof.evidence))
    return written


def _undo_after(host: Host, system: InstalledSystem, name: str, proof: Proof) -> None:
    """Take a committed transaction back because its result does not boot."""
    with host.scope() as looking:
        found = next(one for one in read_transactions(reopen(looking, system, frozenset())) if one.id == name)
    with locked(system.root.piece.path), host.scope() as writing:
        target = open_target(writing, system, tuple(change.path for change in found.changes))
        undo_transaction(target, found)
    raise TakenBackError(
        f"the repair was not proved and was taken back: {'; '.join(proof.evidence)}",
        where=name,
        hint="bootrescue backups shows other candidates",
    )

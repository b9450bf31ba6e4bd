"""apply and undo as operations, on a system in a directory: what the operator is told, and what then lies there."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pytest

from bootrescue.devices.model import Source
from bootrescue.errors import (
    BootRescueError,
    CancelledError,
    DecisionNeededError,
    ExitCode,
    MachineLacksError,
    RefusedError,
    TakenBackError,
)
from bootrescue.host.confined import ConfinedRoot
from bootrescue.host.host import Host
from bootrescue.host.locks import locked
from bootrescue.operations import apply as operation
from bootrescue.operations import verify as verify_operation
from bootrescue.operations.apply import apply, system_of
from bootrescue.operations.targets import TargetChoice, View, look
from bootrescue.operations.undo import undo
from bootrescue.operations.writing import open_target
from bootrescue.plan.model import Machine
from bootrescue.systems.model import InstalledSystem
from bootrescue.transaction.journal import read_history
from bootrescue.transaction.model import TransactionState
from bootrescue.transaction.target import Target
from bootrescue.verification.boot_proof import BootProof
from bootrescue.verification.model import Outcome, Proof
from tests.unit.transaction.world import (
    IMAGE,
    PLANS,
    build,
    plan_of,
    restore_image,
    seen,
    use_fake_depmod,
    working_host,
)

MACHINE_ID = "0123456789abcdef0123456789abcdef"
PLAN = replace(PLANS["all"], system="", machine=Machine(machine_id=MACHINE_ID))


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    use_fake_depmod(monkeypatch)
    monkeypatch.setattr(operation, "require_possible", lambda: None)
    with working_host(tmp_path / "work") as made:
        yield made


@pytest.fixture
def root(tmp_path: Path) -> ConfinedRoot:
    made = build(tmp_path / "root")
    for name in ("etc", "usr"):
        (made.path / name).mkdir()
    (made.path / "etc/os-release").write_text("ID=debian\nVERSION_ID=12\n", encoding="utf-8")
    (made.path / "etc/machine-id").write_text(MACHINE_ID + "\n", encoding="utf-8")
    return made


@pytest.fixture
def choice(root: ConfinedRoot) -> TargetChoice:
    return TargetChoice(source=Source(root=str(root.path)))


def boot_gives(monkeypatch: pytest.MonkeyPatch, outcome: Outcome) -> None:
    def prove(*_: object) -> BootProof:
        proof = Proof(outcome=outcome, evidence=("Kernel panic - not syncing",))
        return BootProof(proof=proof, console=b"console", duration_seconds=1)

    monkeypatch.setattr(verify_operation, "prove_boot", prove)


def boot_raises(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def prove(*_: object) -> NoReturn:
        raise error

    monkeypatch.setattr(verify_operation, "prove_boot", prove)


def states(root: ConfinedRoot) -> list[str]:
    return [found.state for found in read_history(root)]


def test_a_plan_is_carried_out_once(host: Host, root: ConfinedRoot, choice: TargetChoice) -> None:
    done = apply(host, choice, PLAN, boot=False)
    assert done.document.transaction is not None
    assert done.document.transaction.state == "committed"
    assert done.document.verification is not None
    assert done.document.verification.recheck.outcome == "proved"
    after = seen(root)
    again = apply(host, choice, PLAN, boot=False)
    assert again.document.already_so
    assert again.document.transaction is None
    assert seen(root) == after
    assert states(root) == ["committed"]


def test_undo_twice(host: Host, root: ConfinedRoot, choice: TargetChoice) -> None:
    before = seen(root)
    done = apply(host, choice, PLAN, boot=False)
    assert done.document.transaction is not None
    name = done.document.transaction.id
    first = undo(host, choice, "")
    assert first.document.transaction is not None
    assert (first.document.transaction.id, first.document.transaction.state) == (name, "undone")
    assert seen(root) == before
    assert undo(host, choice, name).document.already_so
    with pytest.raises(BootRescueError, match="nothing to undo"):
        undo(host, choice, "")


def test_a_failed_boot_takes_everything_back(
    host: Host, root: ConfinedRoot, choice: TargetChoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = seen(root)
    boot_gives(monkeypatch, Outcome.FAILED)
    with pytest.raises(TakenBackError, match="Kernel panic") as caught:
        apply(host, choice, PLAN, boot=True)
    assert caught.value.exit_code is ExitCode.TAKEN_BACK
    assert seen(root) == before
    assert states(root) == ["undone"]


def test_a_boot_that_cannot_be_made_after_all_leaves_the_repair_and_says_unproved(
    host: Host, root: ConfinedRoot, choice: TargetChoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    boot_raises(monkeypatch, MachineLacksError("the overlay cannot be shown as a disk"))
    done = apply(host, choice, PLAN, boot=True)
    assert not done.proved
    assert done.document.verification is not None
    assert done.document.verification.boot_proof.outcome == "not-possible"
    assert done.document.verification.recheck.outcome == "proved"
    assert states(root) == ["committed"]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), CancelledError("stopped")])
def test_whoever_does_not_wait_for_the_boot_is_told_what_stands(
    error: BaseException, host: Host, root: ConfinedRoot, choice: TargetChoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    boot_raises(monkeypatch, error)
    with pytest.raises(CancelledError, match="stands") as caught:
        apply(host, choice, PLAN, boot=True)
    assert caught.value.exit_code is ExitCode.CANCELLED
    assert "undo" in caught.value.hint
    assert states(root) == ["committed"]


@pytest.mark.parametrize("when", ["the first step", "the recheck"])
def test_a_stop_half_way_is_taken_back(
    when: str, host: Host, root: ConfinedRoot, choice: TargetChoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = seen(root)
    if when == "the recheck":

        def stop(*_: object) -> NoReturn:
            raise KeyboardInterrupt

        monkeypatch.setattr(operation, "recheck", stop)
    else:

        def listen(progress: object) -> None:
            if "restore-module" in str(progress):
                host.cancelled.set()

        host.listener = listen
    with pytest.raises(TakenBackError) as caught:
        apply(host, choice, PLAN, boot=False)
    assert caught.value.exit_code is ExitCode.CANCELLED
    assert seen(root) == before
    assert states(root) == ["taken-back"]


def test_a_failed_recheck_is_taken_back(
    host: Host, root: ConfinedRoot, choice: TargetChoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = seen(root)
    failed = Proof(outcome=Outcome.FAILED, evidence=("GRUB sees another file",))
    monkeypatch.setattr(operation, "grub_view_of", lambda *_: failed)
    with pytest.raises(TakenBackError, match="GRUB sees another file"):
        apply(host, choice, PLAN, boot=False)
    assert seen(root) == before


def test_another_writer_is_waited_for_by_nobody(host: Host, root: ConfinedRoot, choice: TargetChoice) -> None:
    before = seen(root)
    with locked(str(root.path)), pytest.raises(RefusedError, match="lock") as caught:
        apply(host, choice, PLAN, boot=False)
    assert caught.value.exit_code is ExitCode.REFUSED
    assert seen(root) == before
    assert states(root) == []
    apply(host, choice, PLAN, boot=False)
    with locked(str(root.path)), pytest.raises(RefusedError, match="lock"):
        undo(host, choice, "")
    assert states(root) == ["committed"]


def test_an_interrupted_transaction_comes_first(host: Host, root: ConfinedRoot, choice: TargetChoice) -> None:
    before = seen(root)
    apply(host, choice, PLAN, boot=False)
    journal = root.path / str(read_history(root)[0].journal)[1:]
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:-1]))
    assert states(root) == [TransactionState.INTERRUPTED]
    with pytest.raises(RefusedError, match="interrupted") as caught:
        apply(host, choice, PLAN, boot=False)
    assert caught.value.hint.endswith(f"bootrescue undo {caught.value.where}")
    undo(host, choice, "")
    assert seen(root) == before
    apply(host, choice, PLAN, boot=False)


def test_what_changes_between_the_first_look_and_the_lock_is_refused_and_said_so(
    host: Host, root: ConfinedRoot, choice: TargetChoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    def open_late(host: Host, system: InstalledSystem, devices: frozenset[str]) -> Target:
        (root.path / str(IMAGE)[1:]).write_bytes(b"somebody else was faster")
        return open_target(host, system, devices)

    monkeypatch.setattr(operation, "open_target", open_late)
    with pytest.raises(RefusedError, match="journal was replayed") as caught:
        apply(host, choice, PLAN, boot=False)
    assert caught.value.exit_code is ExitCode.REFUSED
    assert states(root) == []


@pytest.mark.parametrize(
    "machine", [Machine(machine_id="f" * 32), Machine(root_uuid="1234"), Machine(machine_id=MACHINE_ID, root_uuid="1")]
)
def test_another_machine_is_refused(machine: Machine, host: Host, root: ConfinedRoot, choice: TargetChoice) -> None:
    before = seen(root)
    with pytest.raises(RefusedError, match="not the machine"):
        apply(host, choice, replace(PLAN, machine=machine), boot=False)
    with pytest.raises(RefusedError, match="not the machine"):
        apply(host, choice, replace(PLAN, system="debian-00000000"), boot=False)
    assert seen(root) == before


def test_a_plan_that_fits_two_systems_needs_a_decision(host: Host, choice: TargetChoice) -> None:
    view = look(host, choice.source)
    twice = View(devices=(), file_systems=(), systems=view.systems * 2, unread=())
    with pytest.raises(DecisionNeededError):
        system_of(twice, choice, replace(plan_of(restore_image()), system=""))
    assert system_of(view, choice, PLAN) == view.systems[0]

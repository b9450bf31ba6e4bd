"""Power cuts and failing disks: at every single writing call of every kind of plan, the target is old or new."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bootrescue.errors import MachineLacksError, NotTakenBackError, TakenBackError
from bootrescue.host.confined import ConfinedRoot
from bootrescue.host.host import Host
from bootrescue.plan.model import Plan
from bootrescue.plan.point_entry import edited
from bootrescue.transaction.journal import read_history
from bootrescue.transaction.model import Transaction, TransactionState
from bootrescue.transaction.target import Target
from bootrescue.transaction.undo import undo
from tests.unit.transaction.world import (
    GRUB,
    GRUB_TEXT,
    PLANS,
    Death,
    FailingSystem,
    Seen,
    build,
    carry_out,
    seen,
    use_fake_depmod,
    working_host,
)

Files = dict[str, Seen]


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    use_fake_depmod(monkeypatch)
    with working_host(tmp_path / "work") as made:
        yield made


def attempt(host: Host, root: ConfinedRoot, plan: Plan, system: FailingSystem) -> BaseException | None:
    """Carry a plan out on a failing operating system; gives what it ended with."""
    with pytest.MonkeyPatch.context() as patch:
        system.install(patch)
        try:
            carry_out(host, root, plan)
        except (MachineLacksError, TakenBackError, NotTakenBackError, Death) as error:
            return error
    return None


def undone(root: ConfinedRoot, system: FailingSystem | None = None) -> bool:
    """Undo the last transaction; False when the power was cut while it went on."""
    found = read_history(root)
    with pytest.MonkeyPatch.context() as patch:
        if system is not None:
            system.install(patch)
        try:
            if found:
                undo(Target(root=root, mount_points=()), found[-1])
        except Death:
            return False
    return True


def last(root: ConfinedRoot) -> Transaction | None:
    found = read_history(root)
    return found[-1] if found else None


def calls_of(host: Host, top: Path, plan: Plan) -> tuple[int, Files, Files]:
    """How many writing calls a plan takes when nothing fails, and the files before and after."""
    root = build(top)
    before = seen(root)
    system = FailingSystem()
    assert attempt(host, root, plan, system) is None
    after = seen(root)
    assert after != before
    for name in after.keys() - before.keys():
        # The time of a file that is new and copied from nowhere is the moment it was made
        after[name] = replace(after[name], modified_ns=0)
    return system.count, before, after


def timeless(files: Files, before: Files) -> Files:
    return {name: file if name in before else replace(file, modified_ns=0) for name, file in files.items()}


def is_old_or_new(files: Files, before: Files, after: Files) -> bool:
    """Whether each file is as before, or is one that the plan makes, with the attributes it shall have."""
    middle = replace(before[str(GRUB)], content=edited(GRUB_TEXT, 2, "/initrd.img", "/good.img"))
    files = timeless(files, before)
    return all(
        files.get(name) in (before.get(name), after.get(name)) or (name == str(GRUB) and files.get(name) == middle)
        for name in {*before, *after}
    )


@pytest.mark.parametrize("name", PLANS)
def test_an_error_at_any_call_is_taken_back_whole(name: str, host: Host, tmp_path: Path) -> None:
    count, before, after = calls_of(host, tmp_path / "whole", PLANS[name])
    assert count > 20
    for number in range(count):
        root = build(tmp_path / str(number))
        system = FailingSystem(fail_at=number)
        error = attempt(host, root, PLANS[name], system)
        assert isinstance(error, (MachineLacksError, TakenBackError)), (number, system.calls[number], error)
        assert seen(root) == before, (number, system.calls[number])
        assert after != before
        found = last(root)
        assert found is None or found.state is TransactionState.TAKEN_BACK, (number, system.calls[number])


@pytest.mark.parametrize("torn", [False, True])
@pytest.mark.parametrize("name", PLANS)
def test_death_at_any_call_leaves_old_or_new_and_undo_brings_all_back(
    name: str,
    torn: bool,  # noqa: FBT001 -- a parameter of the test
    host: Host,
    tmp_path: Path,
) -> None:
    count, before, after = calls_of(host, tmp_path / "whole", PLANS[name])
    states = set()
    for number in range(count):
        root = build(tmp_path / str(number))
        error = attempt(host, root, PLANS[name], FailingSystem(fail_at=number, dies=True, torn=torn))
        assert isinstance(error, Death)
        files = seen(root)
        assert is_old_or_new(files, before, after), number
        found = last(root)
        if found is None or found.state is TransactionState.TAKEN_BACK:
            assert {path: files[path] for path in before} == before, number
            assert set(files) == set(before), number
            continue
        states.add(found.state)
        assert undone(root), number
        assert seen(root) == before, number
        again = last(root)
        assert again is not None, number
        assert again.state is TransactionState.UNDONE, number
    assert TransactionState.INTERRUPTED in states


@pytest.mark.parametrize("torn", [False, True])
@pytest.mark.parametrize("name", PLANS)
def test_death_at_any_call_of_an_undo_is_mended_by_the_next(
    name: str,
    torn: bool,  # noqa: FBT001 -- a parameter of the test
    host: Host,
    tmp_path: Path,
) -> None:
    _, before, after = calls_of(host, tmp_path / "whole", PLANS[name])
    counting = FailingSystem()
    assert undone(ConfinedRoot(path=tmp_path / "whole"), counting)
    for number in range(counting.count):
        root = build(tmp_path / str(number))
        carry_out(host, root, PLANS[name])
        assert not undone(root, FailingSystem(fail_at=number, dies=True, torn=torn))
        assert is_old_or_new(seen(root), before, after), number
        assert undone(root), number
        assert seen(root) == before, number
        found = last(root)
        assert found is not None
        assert found.state is TransactionState.UNDONE, number


def test_an_error_at_any_call_of_an_undo_is_told_and_mended_by_the_next(host: Host, tmp_path: Path) -> None:
    _, before, _ = calls_of(host, tmp_path / "whole", PLANS["all"])
    counting = FailingSystem()
    assert undone(ConfinedRoot(path=tmp_path / "whole"), counting)
    for number in range(counting.count):
        root = build(tmp_path / str(number))
        carry_out(host, root, PLANS["all"])
        with pytest.raises((NotTakenBackError, MachineLacksError, OSError)):
            undone(root, FailingSystem(fail_at=number))
        assert undone(root), number
        assert seen(root) == before, number


class Persistent(FailingSystem):
    """From one call on, the disk is full: nothing can be written, but names can be removed."""

    def _fail(self, name: str) -> None:  # type: ignore[override]
        self.fail_at += 1
        if name in {"write", "mkdir"}:
            raise OSError(28, os.strerror(28))


def test_a_disk_that_stays_full_loses_nothing(host: Host, tmp_path: Path) -> None:
    plan = PLANS["all"]
    count, before, after = calls_of(host, tmp_path / "whole", plan)
    for number in range(count - 1):
        root = build(tmp_path / str(number))
        error = attempt(host, root, plan, Persistent(fail_at=number))
        assert error is None or isinstance(error, (MachineLacksError, TakenBackError, NotTakenBackError)), number
        assert is_old_or_new(seen(root), before, after), number
        if error is not None:
            assert undone(root), number
            assert seen(root) == before, number


def test_a_failing_flush_of_the_whole_file_system_is_taken_back(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = build(tmp_path / "root")
    before = seen(root)
    calls = []

    def settle(mount_point: Path) -> bool:
        calls.append(mount_point)
        if len(calls) == 1:
            raise OSError(5, "Input/output error")
        return True

    monkeypatch.setattr("bootrescue.transaction.target.settle", settle)
    with pytest.raises(TakenBackError, match="Input/output error"):
        carry_out(host, root, PLANS["all"], root.path)
    assert len(calls) == 2
    assert seen(root) == before

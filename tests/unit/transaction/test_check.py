"""What is found out before the first byte is written: nothing may be written by then."""

import os
from dataclasses import replace
from pathlib import Path, PurePosixPath
from types import SimpleNamespace

import pytest

from bootrescue.errors import BadInputError, BootRescueError, MachineLacksError, RefusedError
from bootrescue.host.confined import ConfinedRoot
from bootrescue.host.host import Host
from bootrescue.plan.model import Plan, RestoreImage
from bootrescue.transaction import content as content_module
from bootrescue.transaction.check import check
from tests.unit.transaction.world import (
    BACKUP,
    FILES,
    GRUB,
    IMAGE,
    MODULE,
    MODULES,
    NEW_IMAGE,
    PLANS,
    FailingSystem,
    carry_out,
    digest,
    plan_of,
    point_entries,
    restore_image,
    restore_module,
    seen,
)

ALL = PLANS["all"]


def refused(host: Host, root: ConfinedRoot, plan: Plan, kind: type[BootRescueError] = RefusedError) -> BootRescueError:
    """Check a plan that must be refused, with not one writing call."""
    system = FailingSystem()
    with pytest.MonkeyPatch.context() as patch:
        system.install(patch)
        with pytest.raises(kind) as caught:
            check(host, root, plan)
    assert system.calls == []
    assert not (root.path / "var/lib/bootrescue").exists()
    return caught.value


@pytest.mark.parametrize("path", [IMAGE, MODULE, GRUB])
def test_a_target_that_somebody_changed_is_refused(path: Path, host: Host, root: ConfinedRoot) -> None:
    (root.path / path.relative_to("/")).write_bytes(b"somebody was here")
    error = refused(host, root, ALL)
    assert error.where == str(path)
    assert error.hint


def test_a_target_that_vanished_is_refused(host: Host, root: ConfinedRoot) -> None:
    (root.path / "boot/grub/grub.cfg").unlink()
    assert refused(host, root, ALL).where == str(GRUB)


def test_a_file_that_came_since_is_refused(host: Host, root: ConfinedRoot) -> None:
    (root.path / NEW_IMAGE.relative_to("/")).write_bytes(b"not ours")
    assert refused(host, root, ALL).where == str(NEW_IMAGE)


@pytest.mark.parametrize("step", [restore_image(), restore_module()])
def test_a_source_that_changed_is_refused(step: RestoreImage, host: Host, root: ConfinedRoot) -> None:
    here = root.path / BACKUP.relative_to("/")
    here.write_bytes(here.read_bytes().replace(b"good module", b"evil module"))
    error = refused(host, root, plan_of(step))
    assert error.where == str(BACKUP)
    assert "no longer what the plan was made from" in error.what


def test_a_source_that_is_gone_is_refused(host: Host, root: ConfinedRoot) -> None:
    (root.path / BACKUP.relative_to("/")).unlink()
    assert refused(host, root, plan_of(restore_image())).where == str(BACKUP)


def test_a_module_source_without_the_module_is_refused(host: Host, root: ConfinedRoot) -> None:
    step = replace(restore_module(), member="lib/modules/other.ko")
    assert "no longer holds" in refused(host, root, plan_of(step)).what


def test_an_entry_that_is_not_in_its_line_is_refused(host: Host, root: ConfinedRoot) -> None:
    step = replace(point_entries()[0], line=3)
    assert "line 3" in refused(host, root, plan_of(step)).what


def test_a_word_that_is_not_there_is_bad_input(host: Host, root: ConfinedRoot) -> None:
    step = replace(point_entries()[0], old="/other.img")
    refused(host, root, plan_of(step), BadInputError)


def test_steps_that_do_not_follow_from_each_other_are_refused(host: Host, root: ConfinedRoot) -> None:
    first, second = point_entries()
    refused(host, root, plan_of(first, replace(second, before_sha256=digest(b"something else"))))


@pytest.mark.parametrize("kind", ["link", "directory", "fifo"])
def test_what_is_no_plain_file_is_refused(kind: str, host: Host, root: ConfinedRoot) -> None:
    here = root.path / IMAGE.relative_to("/")
    content = here.read_bytes()
    here.unlink()
    match kind:
        case "link":
            (here.parent / "real").write_bytes(content)
            here.symlink_to("real")
        case "directory":
            here.mkdir()
        case _:
            os.mkfifo(here)
    assert "no plain file" in refused(host, root, plan_of(restore_image())).what


def test_a_second_run_has_nothing_left_to_do(host: Host, root: ConfinedRoot) -> None:
    for plan in PLANS.values():
        assert check(host, root, plan)
    carry_out(host, root, ALL)
    after = seen(root)
    for plan in PLANS.values():
        assert check(host, root, plan) == ()
    assert seen(root) == after


def test_half_done_by_hand_leaves_the_other_half(host: Host, root: ConfinedRoot) -> None:
    carry_out(host, root, plan_of(point_entries()[0]))
    assert check(host, root, plan_of(*point_entries())) == point_entries()[1:]
    carry_out(host, root, plan_of(*point_entries()))
    assert check(host, root, plan_of(*point_entries())) == ()


def test_a_stale_index_alone_is_still_to_do(host: Host, root: ConfinedRoot, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = PLANS["restore-module and index"]
    carry_out(host, root, plan)
    monkeypatch.setattr(content_module, "rebuilt_index", lambda *_: {"modules.dep": b"other\n"})
    assert check(host, root, plan) == (plan.steps[1],)


def test_a_source_that_an_earlier_step_makes_is_seen_through(host: Host, root: ConfinedRoot) -> None:
    """The module comes from the image that the step before puts in place."""
    module = replace(restore_module(), source=IMAGE)
    plan = plan_of(restore_image(), module)
    assert check(host, root, plan) == plan.steps
    carry_out(host, root, plan)
    assert (root.path / MODULE.relative_to("/")).read_bytes() == b"good module"


class Room:
    """File systems with little room, told apart by the first part of a name."""

    def __init__(self, free_bytes: int, free_inodes: int, files: int = 1000) -> None:
        self.free_bytes = free_bytes
        self.free_inodes = free_inodes
        self.files = files

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def fstatvfs(_descriptor: int) -> SimpleNamespace:
            return SimpleNamespace(
                f_blocks=0, f_flag=0, f_bfree=self.free_bytes, f_frsize=1, f_ffree=self.free_inodes, f_files=self.files
            )

        monkeypatch.setattr(os, "fstatvfs", fstatvfs)


def large(size_bytes: int) -> Plan:
    return plan_of(replace(restore_image(), size_bytes=size_bytes))


def test_too_little_space_is_told_in_figures(host: Host, root: ConfinedRoot, monkeypatch: pytest.MonkeyPatch) -> None:
    Room(30 << 20, 1000).install(monkeypatch)
    assert check(host, root, large(20 << 20))
    error = refused(host, root, large(40 << 20), MachineLacksError)
    assert f"{30 << 20} are free" in error.what
    assert "bytes are needed" in error.what
    assert "point-entry" in error.hint


def test_too_few_inodes_are_told(host: Host, root: ConfinedRoot, monkeypatch: pytest.MonkeyPatch) -> None:
    Room(1 << 30, 5).install(monkeypatch)
    assert "inodes" in refused(host, root, ALL, MachineLacksError).what


def test_a_file_system_without_a_number_of_inodes_has_enough(
    host: Host, root: ConfinedRoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    Room(1 << 30, 0, files=0).install(monkeypatch)
    assert check(host, root, ALL)


def test_room_that_an_old_file_gives_back_counts_only_when_it_has_one_name(
    host: Host, root: ConfinedRoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two images, each replaced by one of its size: the second may use what the first gave back."""
    size = 10 << 20
    steps = []
    for name in ("boot/one", "boot/two"):
        (root.path / name).write_bytes(bytes(size))
        before = digest(bytes(size))
        steps.append(replace(restore_image(), path=PurePosixPath("/") / name, before_sha256=before, size_bytes=size))
    # two backups, and one new file beside the old one
    Room(3 * size + (2 << 20), 1000).install(monkeypatch)
    assert check(host, root, plan_of(*steps))
    os.link(root.path / "boot/one", root.path / "boot/one.bak")
    refused(host, root, plan_of(*steps), MachineLacksError)


def test_the_index_needs_room_too(host: Host, root: ConfinedRoot, monkeypatch: pytest.MonkeyPatch) -> None:
    with (root.path / MODULES.relative_to("/") / "modules.alias.bin").open("wb") as stream:
        stream.truncate(20 << 20)
    Room(30 << 20, 1000).install(monkeypatch)
    refused(host, root, PLANS["restore-module and index"], MachineLacksError)


def test_the_world_of_these_tests_is_what_the_plans_were_made_for(root: ConfinedRoot) -> None:
    assert {name: found.content for name, found in seen(root).items()} == {str(k): v for k, v in FILES.items()}

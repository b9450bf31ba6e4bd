"""The lab itself, but for its boots: what a break changes, what a dirty disk is. The boots are in test_matrix.py."""

from pathlib import Path

import pytest

from tests.lab.breaks import BREAKS
from tests.lab.build import build
from tests.lab.dirty import dirty, is_clean
from tests.lab.disk import slices
from tests.lab.machine import machine_of

pytestmark = [pytest.mark.root]


@pytest.mark.parametrize("kind", BREAKS)
@pytest.mark.parametrize("name", ["debian", "el7"])
def test_a_break_leaves_the_good_image_under_another_name(name: str, kind: str, tmp_path: Path) -> None:
    machine = build(name).copy_to(tmp_path / "disk.raw")

    done = BREAKS[kind](machine)

    changes = {change.path: change for change in done.changes}
    assert changes[done.backup].before is None
    assert changes[done.backup].after == changes[machine.initrd].before != changes[machine.initrd].after


@pytest.mark.parametrize("name", ["debian", "el7"])
def test_a_dirty_disk_waits_for_its_journals(name: str, tmp_path: Path) -> None:
    machine = build(name).copy_to(tmp_path / "disk.raw")
    parts = {part.number: part for part in slices(machine.disk)}
    journalled = [parts[number] for number in (machine.root_partition, machine.boot_partition) if number]
    assert all(is_clean(machine.disk, part) for part in journalled)

    written = dirty(machine)

    assert written
    assert not any(is_clean(machine.disk, part) for part in journalled)


def test_a_copy_is_known_again_by_the_note_beside_it(tmp_path: Path) -> None:
    copy = build("debian").copy_to(tmp_path / "disk.raw")

    assert machine_of(tmp_path / "disk.raw") == copy

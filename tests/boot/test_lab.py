"""The lab itself: its machines boot to their token, and each break is one that a boot shows."""

from pathlib import Path

import pytest

from tests.lab.breaks import BREAKS
from tests.lab.build import build
from tests.lab.dirty import dirty, is_clean
from tests.lab.disk import slices
from tests.lab.machine import Firmware, machine_of
from tests.lab.qemu import boot

pytestmark = [pytest.mark.root, pytest.mark.qemu]

HEALTHY = (("debian", Firmware.BIOS), ("debian", Firmware.UEFI), ("el7", Firmware.BIOS))
# The file-system variant of `strip` fails as `drop` does; one boot of the two is enough here.
BROKEN = tuple((name, kind) for name in ("debian", "el7") for kind in BREAKS if kind != "strip-fs")


@pytest.mark.parametrize(("name", "firmware"), HEALTHY)
def test_a_healthy_machine_says_its_token(name: str, firmware: Firmware) -> None:
    machine = build(name)

    result = boot(machine.disk, firmware)

    assert result.reached, result.console
    assert f"{result.token} {machine.kernel_release} /dev/vda{machine.root_partition}" in result.token_line


@pytest.mark.parametrize(("name", "kind"), BROKEN)
def test_a_broken_machine_does_not_boot_and_says_why(name: str, kind: str, tmp_path: Path) -> None:
    machine = build(name).copy_to(tmp_path / "disk.raw")

    done = BREAKS[kind](machine)
    result = boot(machine.disk)

    assert not result.reached
    assert any(text in result.console for text in done.console), result.console
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

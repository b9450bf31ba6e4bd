"""Which system is meant, and what is said when nobody can tell."""

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from bootrescue.devices.model import BlockDevice, DeviceKind, Slice
from bootrescue.errors import DecisionNeededError, ExitCode, UsageError
from bootrescue.filesystems.model import FileSystem
from bootrescue.operations.targets import NoSystemError, View, choose_system
from bootrescue.systems.model import InstalledSystem


def system(name: str) -> InstalledSystem:
    return cast("InstalledSystem", SimpleNamespace(id=name, directory=Path("/nowhere")))


def view(*names: str, kinds: tuple[str, ...] = (), unread: tuple[str, ...] = ()) -> View:
    piece = Slice(path="disk.raw")
    return View(
        devices=(BlockDevice(path="disk.raw", kind=DeviceKind.IMAGE, size_bytes=1, piece=piece),),
        file_systems=tuple(
            FileSystem(uuid="", type=kind, label="", device=f"disk.raw#{number}", piece=piece, size_bytes=1)
            for number, kind in enumerate(kinds, start=1)
        ),
        systems=tuple(system(name) for name in names),
        unread=unread,
    )


def test_the_only_one_needs_no_name() -> None:
    assert choose_system(view("debian-1"), "").id == "debian-1"


def test_several_need_a_decision() -> None:
    with pytest.raises(DecisionNeededError, match="debian-1, centos-2") as caught:
        choose_system(view("debian-1", "centos-2"), "")
    assert caught.value.exit_code == ExitCode.DECISION_NEEDED
    assert "--system" in caught.value.hint
    assert choose_system(view("debian-1", "centos-2"), "centos-2").id == "centos-2"


def test_a_wrong_name_lists_the_right_ones() -> None:
    with pytest.raises(UsageError, match="no systems have this id") as caught:
        choose_system(view("debian-1"), "debian-2")
    assert "debian-1" in caught.value.hint


@pytest.mark.parametrize("kind", ["crypto_LUKS", "LVM2_member", "linux_raid_member"])
def test_what_is_locked_is_named(kind: str) -> None:
    with pytest.raises(DecisionNeededError, match=rf"disk\.raw#2 \({kind}\)") as caught:
        choose_system(view(kinds=("vfat", kind)), "")
    assert caught.value.exit_code == ExitCode.DECISION_NEEDED
    assert caught.value.hint


def test_no_system_is_no_success_and_says_what_was_not_read() -> None:
    with pytest.raises(NoSystemError, match=r"disk\.raw: no installed Linux system") as caught:
        choose_system(view(kinds=("ext4",), unread=("disk.raw#1 (ext4): broken",)), "")
    assert caught.value.exit_code == ExitCode.WRONG
    assert "disk.raw#1 (ext4): broken" in caught.value.what

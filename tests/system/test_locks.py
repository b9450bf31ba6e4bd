"""A disk is held while it is written to, and cannot be had while something uses it."""

from pathlib import Path

import pytest

from bootrescue.errors import RefusedError
from bootrescue.host.locks import locked
from tests.builders import attached, debian_disk, ext4, rw_mounted, tool

pytestmark = pytest.mark.root


def test_a_disk_with_something_mounted_from_it_is_not_locked(tmp_path: Path) -> None:
    disk = debian_disk(tmp_path)
    with attached(disk) as device:
        with locked(device):
            pass
        tool("partx", "--add", device)
        try:
            place = tmp_path / "mounted"
            place.mkdir()
            tool("mount", "-o", "ro", f"{device}p1", place)
            try:
                with pytest.raises(RefusedError, match="this machine uses it") as caught, locked(device):
                    pass
                assert caught.value.where == device
                assert "findmnt" in caught.value.hint
            finally:
                tool("umount", place)
            with locked(device):
                pass
        finally:
            tool("partx", "--delete", device)


def test_while_a_disk_is_locked_nobody_mounts_it(tmp_path: Path) -> None:
    image = ext4(tmp_path / "image")
    with attached(image) as device:
        place = tmp_path / "mounted"
        place.mkdir()
        with locked(device), pytest.raises(AssertionError, match=r"already mounted|busy"):
            tool("mount", device, place)
    with rw_mounted(image):
        pass

"""Slices of disks as devices: read-only for real, of the right bytes, and given back."""

import os
from pathlib import Path

import pytest

from bootrescue.errors import MachineLacksError
from bootrescue.host.host import open_host
from bootrescue.host.loop_devices import attach
from tests.builders import MIB, attached, sha256, sparse, tool

pytestmark = pytest.mark.root


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    image = sparse(tmp_path / "disk.raw", 4 * MIB)
    with image.open("r+b") as file:
        for mib in range(4):
            file.seek(mib * MIB)
            file.write(bytes([mib + 1]) * MIB)
    return image


def backing_files() -> str:
    return tool("losetup", "--list", "--noheadings", "--output=BACK-FILE")


def test_a_slice_is_its_bytes_and_no_others(disk: Path) -> None:
    with open_host() as host:
        device = Path(attach(host, str(disk), offset_bytes=MIB, size_bytes=2 * MIB))
        assert device.read_bytes() == bytes([2]) * MIB + bytes([3]) * MIB
        assert Path(attach(host, str(disk), offset_bytes=3 * MIB)).read_bytes() == bytes([4]) * MIB
        assert len(Path(attach(host, str(disk))).read_bytes()) == 4 * MIB


def test_a_slice_beyond_the_end_is_empty_and_one_across_it_is_short(disk: Path) -> None:
    with open_host() as host:
        assert Path(attach(host, str(disk), offset_bytes=8 * MIB, size_bytes=MIB)).read_bytes() == b""
        across = attach(host, str(disk), offset_bytes=3 * MIB, size_bytes=8 * MIB)
        assert len(Path(across).read_bytes()) == MIB


def test_read_only_is_read_only(disk: Path) -> None:
    before = sha256(disk)
    with open_host() as host:
        device = attach(host, str(disk))
        assert tool("blockdev", "--getro", device).strip() == "1"
        writer = os.open(device, os.O_RDWR)
        try:
            with pytest.raises(PermissionError):
                os.write(writer, b"x" * 512)
        finally:
            os.close(writer)
    assert sha256(disk) == before


def test_writable_when_asked(disk: Path) -> None:
    with open_host() as host:
        device = Path(attach(host, str(disk), offset_bytes=MIB, size_bytes=MIB, writable=True))
        with device.open("r+b") as file:
            file.write(b"new")
    assert disk.read_bytes()[MIB - 1 : MIB + 4] == b"\x01new\x02"


@pytest.mark.parametrize("failure", [None, RuntimeError("x"), KeyboardInterrupt()])
def test_given_back_at_the_end_however_it_ends(disk: Path, failure: BaseException | None) -> None:
    try:
        with open_host() as host:
            attach(host, str(disk))
            attach(host, str(disk), offset_bytes=MIB)
            assert backing_files().count(str(disk)) == 2
            if failure is not None:
                raise failure
    except (RuntimeError, KeyboardInterrupt):
        pass
    assert str(disk) not in backing_files()


def test_a_scope_gives_back_its_own_and_no_more(disk: Path) -> None:
    with open_host() as host:
        attach(host, str(disk))
        with host.scope() as inner, inner.scope() as innermost:
            attach(inner, str(disk))
            attach(innermost, str(disk))
            assert backing_files().count(str(disk)) == 3
        assert backing_files().count(str(disk)) == 1


def test_a_disk_on_a_loop_device_can_be_sliced_again(disk: Path) -> None:
    with attached(disk) as whole, open_host() as host:
        device = attach(host, whole, offset_bytes=2 * MIB, size_bytes=MIB)
        assert Path(device).read_bytes() == bytes([3]) * MIB


def test_what_cannot_be_attached_says_so(tmp_path: Path) -> None:
    with open_host() as host:
        with pytest.raises(MachineLacksError, match="cannot be opened: No such file") as caught:
            attach(host, str(tmp_path / "missing"))
        assert caught.value.where == str(tmp_path / "missing")
        with pytest.raises(MachineLacksError, match="no loop device could be set up"):
            attach(host, str(tmp_path))

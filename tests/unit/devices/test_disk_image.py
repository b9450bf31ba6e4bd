"""Files that are disks, and what is said of those that are not."""

import os
from pathlib import Path

import pytest

from bootrescue.devices.disk_image import open_image
from bootrescue.errors import BadInputError, BootRescueError, ExitCode, UsageError
from tests.builders import MIB, sparse


def test_a_raw_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    disk = open_image(str(sparse(Path("-disk.raw"), 2 * MIB)))
    assert disk.path == "-disk.raw"
    assert disk.piece.path == str(tmp_path / "-disk.raw")
    assert disk.size_bytes == 2 * MIB


WRAPPED = {
    "qcow2": b"QFI\xfb",
    "vmdk": b"KDMV",
    "vhdx": b"vhdxfile",
    "vdi": bytes(0x40) + b"\x7f\x10\xda\xbe",
    "vpc": b"conectix",
}


@pytest.mark.parametrize("wrapper", WRAPPED)
def test_a_wrapped_image_is_named_and_how_to_open_it(tmp_path: Path, wrapper: str) -> None:
    image = sparse(tmp_path / "disk", 2 * MIB)
    with image.open("r+b") as file:
        file.write(WRAPPED[wrapper])
    with pytest.raises(BadInputError, match=f"is a {wrapper} image") as caught:
        open_image(str(image))
    assert f"qemu-img convert -f {wrapper} -O raw" in caught.value.hint


def failure(name: Path | str) -> BootRescueError:
    with pytest.raises(BootRescueError) as caught:
        open_image(str(name))
    assert caught.value.where == str(name)
    assert caught.value.hint
    return caught.value


def test_what_is_no_disk(tmp_path: Path) -> None:
    (tmp_path / "small").write_bytes(b"text")
    os.mkfifo(tmp_path / "fifo")
    assert "4 bytes are too few" in failure(tmp_path / "small").what
    assert failure(tmp_path / "fifo").what == "is no file"
    assert failure(tmp_path).exit_code == ExitCode.BAD_INPUT
    assert isinstance(failure(tmp_path / "missing"), UsageError)


@pytest.mark.root
def test_a_device_is_no_image(tmp_path: Path) -> None:
    os.mknod(tmp_path / "device", 0o060600, os.makedev(7, 0))
    assert "--disk" in failure(tmp_path / "device").hint

"""Partition tables as they are found: whole, odd, damaged, or none at all; reading them never writes."""

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from bootrescue.devices.disk_image import open_image
from bootrescue.devices.model import BlockDevice
from bootrescue.devices.partitions import read_partitions
from bootrescue.errors import BadInputError
from bootrescue.host.host import open_host
from tests.builders import MIB, ext4, sha256, sparse, tool

pytestmark = pytest.mark.root
SECTOR = 512
GPT = "label: gpt\nsize=8M, uuid=F439A9E7-4245-8A44-A587-664EC3056CEA\nsize=8M\n"
LOGICAL = "label: dos\nlabel-id: 0x1234abcd\nsize=8M\nsize=40M,type=5\nstart=20480,size=8M\nstart=40960,size=8M\n"


def table(path: Path, script: str, size_bytes: int = 64 * MIB) -> Path:
    tool("sfdisk", "--quiet", sparse(path, size_bytes), stdin=script)
    return path


def read(image: Path) -> BlockDevice:
    """What is read of an image; that its bytes stay is checked each time."""
    before = sha256(image)
    try:
        with open_host() as host:
            return read_partitions(host, open_image(str(image)))
    finally:
        assert sha256(image) == before


def wipe(image: Path, sector: int) -> None:
    with image.open("r+b") as file:
        file.seek(sector * SECTOR, os.SEEK_SET if sector >= 0 else os.SEEK_END)
        file.write(bytes(SECTOR))


def poke(image: Path, offset: int, data: bytes) -> None:
    with image.open("r+b") as file:
        file.seek(offset)
        file.write(data)


def test_gpt(tmp_path: Path) -> None:
    image = table(tmp_path / "disk.raw", GPT)
    disk = read(image)
    assert disk.partition_table == "gpt"
    assert disk.problems == ()
    assert [child.path for child in disk.children] == [f"{image}#1", f"{image}#2"]
    assert disk.children[0].partition_uuid == "f439a9e7-4245-8a44-a587-664ec3056cea"
    assert [(child.piece.offset_bytes, child.piece.size_bytes) for child in disk.children] == [
        (MIB, 8 * MIB),
        (9 * MIB, 8 * MIB),
    ]
    assert disk.children[1].piece.path == str(image)


def test_msdos_with_logical_partitions(tmp_path: Path) -> None:
    disk = read(table(tmp_path / "disk.raw", LOGICAL))
    assert disk.partition_table == "msdos"
    assert [child.partition_number for child in disk.children] == [1, 5, 6]
    assert [child.partition_uuid for child in disk.children] == ["1234abcd-01", "1234abcd-05", "1234abcd-06"]
    assert [child.piece.offset_bytes // MIB for child in disk.children] == [1, 10, 20]


def test_a_file_system_without_a_table(tmp_path: Path) -> None:
    disk = read(ext4(tmp_path / "ext4"))
    assert (disk.partition_table, disk.children) == ("", ())


def test_a_fat_boot_sector_is_no_table(tmp_path: Path) -> None:
    image = sparse(tmp_path / "fat", 16 * MIB)
    tool("mkfs.vfat", image)
    assert image.read_bytes()[510:512] == b"\x55\xaa"
    assert read(image).partition_table == ""


def make_noise(path: Path) -> Path:
    path.write_bytes(random.Random(1).randbytes(2 * MIB))  # noqa: S311 -- noise, no secret
    return path


def make_zeros(path: Path) -> Path:
    return sparse(path, 2 * MIB)


def make_noise_with_signature(path: Path) -> Path:
    make_noise(path)
    poke(path, 510, b"\x55\xaa")
    return path


@pytest.mark.parametrize("make", [make_noise, make_zeros, make_noise_with_signature])
def test_noise_has_no_table(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    assert read(make(tmp_path / "noise")).partition_table == ""


def damage_first_header(image: Path) -> None:
    wipe(image, 1)


def damage_both_headers(image: Path) -> None:
    wipe(image, 1)
    wipe(image, -1)


def damage_boot_record_and_checksum(image: Path) -> None:
    wipe(image, 0)
    poke(image, SECTOR + 16, b"abcd")
    wipe(image, -1)


def cut_short(image: Path) -> None:
    os.truncate(image, 12 * MIB)


def make_recursive(image: Path) -> None:
    poke(image, 446 + 16 + 8, bytes(4))


DAMAGE = {
    "first GPT header gone": (GPT, damage_first_header),
    "both GPT headers gone": (GPT, damage_both_headers),
    "boot record gone and GPT damaged": (GPT, damage_boot_record_and_checksum),
    "GPT image cut short": (GPT, cut_short),
    "msdos image cut short": ("label: dos\nsize=8M\nsize=50M\n", cut_short),
    "extended partition that holds itself": (LOGICAL, make_recursive),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_table_is_bad_input_with_a_message(
    tmp_path: Path, damage: str, capfd: pytest.CaptureFixture[str]
) -> None:
    script, break_it = DAMAGE[damage]
    image = table(tmp_path / "disk.raw", script)
    break_it(image)
    with pytest.raises(BadInputError, match=r"the partition table cannot be read: .") as caught:
        read(image)
    assert caught.value.where == str(image)
    assert "gdisk" in caught.value.hint
    assert "/dev/loop" not in caught.value.what
    assert capfd.readouterr() == ("", "")


def test_a_damaged_gpt_is_read_from_its_copy_and_that_is_told(tmp_path: Path) -> None:
    image = table(tmp_path / "disk.raw", GPT)
    poke(image, SECTOR + 16, b"abcd")
    disk = read(image)
    assert [child.piece.offset_bytes // MIB for child in disk.children] == [1, 9]
    assert disk.children[0].partition_uuid == "f439a9e7-4245-8a44-a587-664ec3056cea"
    assert any("corrupt" in problem for problem in disk.problems)


def test_one_disk_is_not_taken_for_the_one_before_it(tmp_path: Path) -> None:
    """What libparted has seen it remembers by path, and loop devices are used again."""
    seen = [
        len(read(table(tmp_path / f"{count}.raw", "label: gpt\n" + "size=1M\n" * count, (count + 4) * MIB)).children)
        for count in (2, 40, 1)
    ]
    assert seen == [2, 40, 1]

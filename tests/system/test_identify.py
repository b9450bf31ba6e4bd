"""What lies on a device, as libblkid sees it."""

from pathlib import Path

import pytest

from bootrescue.devices.disk_image import open_image
from bootrescue.devices.model import BlockDevice, DeviceKind
from bootrescue.devices.partitions import read_partitions
from bootrescue.errors import BadInputError, ExitCode
from bootrescue.filesystems.identify import identify
from bootrescue.filesystems.model import FileSystem
from bootrescue.host.host import open_host
from tests.builders import BOOT_UUID, MIB, ROOT_UUID, ext4, make_disk, sha256, sparse, tool, xfs

pytestmark = pytest.mark.root
LUKS_UUID = "0a1b2c3d-0000-4000-8000-0123456789ab"


def look(*images: Path) -> tuple[FileSystem, ...]:
    with open_host() as host:
        return identify(host, tuple(read_partitions(host, open_image(str(image))) for image in images))


def poked(path: Path, *places: tuple[int, bytes]) -> Path:
    with sparse(path, 16 * MIB).open("r+b") as file:
        for offset, data in places:
            file.seek(offset)
            file.write(data)
    return path


def luks(path: Path) -> Path:
    """A LUKS1 header: on-disk format specification 1.2.3, figure 1."""
    fields = (
        b"LUKS\xba\xbe\0\1" + b"aes".ljust(32, b"\0") + b"xts-plain64".ljust(32, b"\0") + b"sha256".ljust(32, b"\0")
    )
    return poked(path, (0, fields), (168, LUKS_UUID.encode()))


def lvm(path: Path) -> Path:
    """A label in sector 1: LVM2 2.03, lib/label/label.h; its checksum is that of an empty header here."""
    label = b"LABELONE" + (1).to_bytes(8, "little")
    rest = (32).to_bytes(4, "little") + b"LVM2 001" + b"abcdefghijklmnopqrstuvwxyz012345"
    body = (rest + bytes(512)).ljust(512, b"\0")[: 512 - 20]
    crc = lvm_checksum(body)
    return poked(path, (512, label + crc.to_bytes(4, "little") + body))


def lvm_checksum(data: bytes) -> int:
    """LVM2's CRC-32: no final inversion, and a start of its own (lib/misc/crc.c)."""
    crc = 0xF597A6CF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0xEDB88320 if crc & 1 else 0)
    return crc


def swap(path: Path) -> Path:
    tool("mkswap", "-q", sparse(path, 16 * MIB))
    return path


def btrfs(path: Path) -> Path:
    tool("mkfs.btrfs", "-q", "-U", BOOT_UUID, sparse(path, 120 * MIB))
    return path


@pytest.mark.parametrize(
    ("make", "kind", "uuid"),
    [
        (ext4, "ext4", ROOT_UUID),
        (xfs, "xfs", BOOT_UUID),
        (btrfs, "btrfs", BOOT_UUID),
        (luks, "crypto_LUKS", LUKS_UUID),
        (lvm, "LVM2_member", "abcdef-ghij-klmn-opqr-stuv-wxyz-012345"),
    ],
)
def test_a_disk_without_a_table_is_probed_itself(tmp_path: Path, make, kind: str, uuid: str) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    image = make(tmp_path / "image")
    before = sha256(image)
    (found,) = look(image)
    assert (found.type, found.uuid, found.device, found.grub_partition) == (kind, uuid, str(image), "")
    assert sha256(image) == before


def test_swap(tmp_path: Path) -> None:
    assert look(swap(tmp_path / "image"))[0].type == "swap"


def test_two_signatures_that_contradict_each_other_are_told(tmp_path: Path) -> None:
    image = swap(tmp_path / "image")
    with image.open("r+b") as file:
        file.write(b"XFSB\0\0\x10\0")
        file.seek(0x8000)
        file.write(b"\1CD001\1\0")
    ext = ext4(tmp_path / "ext4").read_bytes()[1024:2048]
    with image.open("r+b") as file:
        file.seek(1024)
        file.write(ext)
    assert look(image)[0].type == "ambiguous"


def test_partitions_are_probed_at_their_places(tmp_path: Path) -> None:
    parts = {1: ext4(tmp_path / "a"), 3: luks(tmp_path / "b")}
    disk = make_disk(tmp_path / "disk", "label: gpt\nsize=16M\nsize=1M\nsize=16M\n", parts, 40 * MIB)
    found = look(disk)
    assert [(one.type, one.device, one.grub_partition) for one in found] == [
        ("ext4", f"{disk}#1", "gpt1"),
        ("crypto_LUKS", f"{disk}#3", "gpt3"),
    ]
    assert all(one.partition_uuid for one in found)


def test_an_image_with_nothing_in_it_is_bad_input(tmp_path: Path) -> None:
    image = sparse(tmp_path / "zeros", 2 * MIB)
    with pytest.raises(BadInputError, match="is no disk: neither a partition table nor a file system") as caught:
        look(image)
    assert caught.value.where == str(image)
    assert caught.value.exit_code == ExitCode.BAD_INPUT
    assert "raw image" in caught.value.hint


def test_an_empty_disk_and_one_left_out_are_passed_over(tmp_path: Path) -> None:
    image = open_image(str(sparse(tmp_path / "zeros", 2 * MIB)))
    empty = BlockDevice(path="/dev/x", kind=DeviceKind.DISK, size_bytes=1, piece=image.piece)
    full = open_image(str(ext4(tmp_path / "ext4")))
    left_out = BlockDevice(path="/dev/y", kind=DeviceKind.DISK, size_bytes=1, piece=full.piece, left_out="in use")
    with open_host() as host:
        assert identify(host, (empty, left_out)) == ()

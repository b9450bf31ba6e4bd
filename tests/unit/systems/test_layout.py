"""What fstab names, and for which firmware the loader was installed."""

from pathlib import PurePosixPath

import pytest

from bootrescue.devices.model import Slice
from bootrescue.filesystems.model import FileSystem
from bootrescue.formats.fstab import FstabEntry, parse_fstab
from bootrescue.systems.layout import firmware_mode, place_of, resolve
from bootrescue.systems.model import FirmwareMode
from tests.builders import memory


def file_system(device: str, uuid: str = "", label: str = "", partition_uuid: str = "") -> FileSystem:
    return FileSystem(
        uuid=uuid, type="ext4", label=label, device=device, piece=Slice(path="disk"), size_bytes=1,
        partition_uuid=partition_uuid,
    )  # fmt: skip


FOUND = (
    file_system("a", uuid="1F0C-2a9b", label="Boot"),
    file_system("b", uuid="2222", label="boot", partition_uuid="1234abcd-01"),
    file_system("c", uuid="2222"),
    file_system("d"),
)


def line(spec: str, mount_point: str = "/boot") -> FstabEntry:
    return parse_fstab(f"{spec} {mount_point} ext4 defaults 0 2\n".encode()).entries[0]


@pytest.mark.parametrize(
    ("spec", "devices"),
    [
        ("UUID=1f0c-2A9B", "a"),
        ('UUID="1F0C-2a9b"', "a"),
        ("UUID=2222", "bc"),
        ("UUID=", ""),
        ("UUID=missing", ""),
        ("LABEL=boot", "b"),
        ("LABEL=Boot", "a"),
        ("LABEL=", ""),
        ("PARTUUID=1234ABCD-01", "b"),
        ("PARTUUID=", ""),
        ("/dev/disk/by-uuid/1F0C-2a9b", "a"),
        ("/dev/disk/by-label/Boot", "a"),
        ("/dev/disk/by-partuuid/1234abcd-01", "b"),
        ("/dev/sda1", ""),
        ("tmpfs", ""),
    ],
)
def test_what_a_specification_names(spec: str, devices: str) -> None:
    assert "".join(found.device for found in resolve(line(spec), FOUND)) == devices


@pytest.mark.parametrize("mount_point", ["/boot", "/boot/", "//boot", "///boot"])
def test_a_mount_point_has_one_name(mount_point: str) -> None:
    assert place_of(line("UUID=x", mount_point)) == PurePosixPath("/boot")
    assert place_of(line("UUID=x", mount_point)).is_relative_to("/")


@pytest.mark.parametrize(
    ("names", "mode"),
    [
        (["/boot/grub/i386-pc/a"], FirmwareMode.BIOS),
        (["/boot/grub2/i386-pc/a"], FirmwareMode.BIOS),
        (["/boot/grub/x86_64-efi/a"], FirmwareMode.UEFI),
        (["/boot/grub/arm64-efi/a"], FirmwareMode.UEFI),
        (["/boot/efi/EFI/debian/shimx64.efi"], FirmwareMode.UEFI),
        (["/boot/grub/i386-pc/a", "/boot/efi/efi/x"], FirmwareMode.BOTH),
        (["/boot/grub/grub.cfg"], FirmwareMode.UNKNOWN),
    ],
)
def test_firmware_mode(names: list[str], mode: FirmwareMode) -> None:
    assert firmware_mode(memory(dict.fromkeys(names, b""))) is mode

"""What is mounted where on the target: its fstab, resolved against the file systems that were found."""

from pathlib import PurePosixPath
from typing import Final

from bootrescue.errors import BootRescueError
from bootrescue.filesystems.model import FileSystem
from bootrescue.filesystems.mounting import Mounted, mount_below
from bootrescue.filesystems.tree import read_bytes
from bootrescue.formats.fstab import FstabEntry, parse_fstab
from bootrescue.host.host import Host
from bootrescue.host.mounts import can_mount
from bootrescue.systems.model import FirmwareMode, Mount

FSTAB: Final = PurePosixPath("/etc/fstab")


def mount_below_root(
    host: Host, root: Mounted, file_systems: tuple[FileSystem, ...]
) -> tuple[tuple[Mount, ...], tuple[str, ...]]:
    """Mount what the target's fstab names below its root; gives the mounts (root first) and the problems.

    A line that cannot be resolved is a problem told, not the end: the rest is still looked at.
    """
    text = read_bytes(root.tree, FSTAB)
    if text is None:
        return (Mount(mount_point=PurePosixPath("/"), file_system=root.file_system),), ("there is no /etc/fstab",)
    table = parse_fstab(text)
    problems = [f"/etc/fstab: {problem}" for problem in table.problems]
    mounts = [Mount(mount_point=PurePosixPath("/"), file_system=root.file_system)]
    for entry in sorted(table.entries, key=lambda entry: len(PurePosixPath(entry.mount_point).parts)):
        if not _belongs_below(entry):
            continue
        file_system = resolve(entry.spec, file_systems)
        if file_system is None:
            problems.append(f"/etc/fstab line {entry.line}: {entry.spec} names nothing that was found")
            continue
        try:
            mount_below(host, root, file_system, PurePosixPath(entry.mount_point))
        except (BootRescueError, OSError) as error:
            problems.append(f"/etc/fstab line {entry.line}: {entry.mount_point} was not looked into: {error}")
            continue
        mounts.append(Mount(mount_point=PurePosixPath(entry.mount_point), file_system=file_system))
    return tuple(mounts), tuple(problems)


def _belongs_below(entry: FstabEntry) -> bool:
    return str(entry.mount_point).startswith("/") and str(entry.mount_point) != "/" and can_mount(entry.type)


def resolve(spec: str, file_systems: tuple[FileSystem, ...]) -> FileSystem | None:
    """The one file system that a device specification names; None when it names none, or more than one."""
    kind, equals, value = spec.partition("=")
    value = value.strip('"').lower()
    matches = {
        "UUID": [found for found in file_systems if found.uuid.lower() == value],
        "PARTUUID": [found for found in file_systems if found.partition_uuid == value],
        "LABEL": [found for found in file_systems if found.label.lower() == value],
    }.get(kind.upper() if equals else "", [])
    if spec.startswith("/dev/disk/by-uuid/"):
        matches = [found for found in file_systems if found.uuid == spec.rpartition("/")[2]]
    return matches[0] if len(matches) == 1 else None


def firmware_mode(root: Mounted) -> FirmwareMode:
    """For which firmware the target's loader was installed, by the GRUB platform directories that are there."""
    bios = uefi = False
    for directory in ("/boot/grub", "/boot/grub2"):
        names = {entry.name for entry in root.tree.entries(PurePosixPath(directory))}
        bios = bios or "i386-pc" in names
        uefi = uefi or "x86_64-efi" in names
    efi_names = {entry.name.lower() for entry in root.tree.entries(PurePosixPath("/boot/efi"))}
    uefi = uefi or "efi" in efi_names
    if bios and uefi:
        return FirmwareMode.BOTH
    if uefi:
        return FirmwareMode.UEFI
    return FirmwareMode.BIOS if bios else FirmwareMode.UNKNOWN

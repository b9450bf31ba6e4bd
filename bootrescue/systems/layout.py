"""What is mounted where on the target: its fstab, resolved against the file systems that were found."""

from pathlib import PurePosixPath
from typing import Final

from bootrescue.errors import BootRescueError, CancelledError
from bootrescue.filesystems.model import FileSystem
from bootrescue.filesystems.mounting import Mounted, mount_below
from bootrescue.filesystems.tree import FileTree, read_bytes
from bootrescue.formats.fstab import FstabEntry, parse_fstab
from bootrescue.host.host import Host
from bootrescue.host.mounts import can_mount
from bootrescue.systems.model import FirmwareMode, Mount

FSTAB: Final = PurePosixPath("/etc/fstab")
ROOT: Final = PurePosixPath("/")
# The links that udev makes, and the tag of fstab(5) that says the same
LINKS: Final = {
    "/dev/disk/by-uuid/": "UUID",
    "/dev/disk/by-label/": "LABEL",
    "/dev/disk/by-partuuid/": "PARTUUID",
}


def mount_below_root(
    host: Host, root: Mounted, file_systems: tuple[FileSystem, ...]
) -> tuple[tuple[Mount, ...], tuple[str, ...]]:
    """Mount what the target's fstab names below its root; gives the mounts (root first) and the problems.

    A line that cannot be resolved is a problem told, not the end: the rest is still looked at.
    """
    mounts = [Mount(mount_point=ROOT, file_system=root.file_system)]
    text = read_bytes(root.tree, FSTAB)
    if text is None:
        return tuple(mounts), ("there is no /etc/fstab",)
    table = parse_fstab(text)
    problems = [f"/etc/fstab: {problem}" for problem in table.problems]
    for entry in sorted(filter(_belongs_below, table.entries), key=lambda entry: len(place_of(entry).parts)):
        place = place_of(entry)
        try:
            file_system = _choose(entry, root, file_systems)
            if file_system is None:
                continue
            if place in {mount.mount_point for mount in mounts}:
                raise BootRescueError("an earlier line has this mount point")  # noqa: TRY301 -- told like the others
            mount_below(host, root, file_system, place)
        except CancelledError:
            raise
        except (BootRescueError, OSError) as error:
            problems.append(f"/etc/fstab line {entry.line}: {place} was not looked into: {error}")
            continue
        mounts.append(Mount(mount_point=place, file_system=file_system))
    return tuple(mounts), tuple(problems)


def place_of(entry: FstabEntry) -> PurePosixPath:
    """The mount point, with one slash before it: pathlib keeps two apart, as POSIX allows."""
    return ROOT / str(entry.mount_point).lstrip("/")


def _belongs_below(entry: FstabEntry) -> bool:
    kinds = entry.type.split(",")
    is_known = "auto" in kinds or any(can_mount(kind) for kind in kinds)
    return str(entry.mount_point).startswith("/") and place_of(entry) != ROOT and is_known


def _choose(entry: FstabEntry, root: Mounted, file_systems: tuple[FileSystem, ...]) -> FileSystem | None:
    """The file system of a line; None for one that is not there and is not mounted at boot."""
    matches = resolve(entry, file_systems)
    if len(matches) > 1:
        # a copy of the whole disk is here too
        matches = tuple(found for found in matches if found.piece.path == root.file_system.piece.path)
    if len(matches) > 1:
        raise BootRescueError(f"{entry.spec} names several: {', '.join(found.device for found in matches)}")
    if matches:
        return matches[0]
    if "noauto" in entry.options:
        return None
    raise BootRescueError(f"{entry.spec} names nothing that was found")


def resolve(entry: FstabEntry, file_systems: tuple[FileSystem, ...]) -> tuple[FileSystem, ...]:
    """The file systems that the first field of a line names."""
    tag, value = entry.tag, entry.tag_value
    for prefix, meaning in LINKS.items():
        if entry.spec.startswith(prefix):
            tag, value = meaning, entry.spec.removeprefix(prefix)
    if not value:
        return ()
    match tag:
        case "UUID":
            return tuple(found for found in file_systems if found.uuid.lower() == value.lower())
        case "PARTUUID":
            return tuple(found for found in file_systems if found.partition_uuid.lower() == value.lower())
        case "LABEL":
            return tuple(found for found in file_systems if found.label == value)
        case _:
            return ()


def firmware_mode(tree: FileTree) -> FirmwareMode:
    """For which firmware the target's loader was installed, by the GRUB platform directories that are there."""
    platforms = {entry.name for name in ("/boot/grub", "/boot/grub2") for entry in tree.entries(PurePosixPath(name))}
    on_esp = {entry.name.lower() for entry in tree.entries(PurePosixPath("/boot/efi"))}
    bios = "i386-pc" in platforms
    uefi = "efi" in on_esp or any(name.endswith("-efi") for name in platforms)
    if bios and uefi:
        return FirmwareMode.BOTH
    if uefi:
        return FirmwareMode.UEFI
    return FirmwareMode.BIOS if bios else FirmwareMode.UNKNOWN

"""Mount file systems for the life of a host: read-only and without journal replay unless asked.

`mount -o ro` alone replays the journal of ext4 and XFS and so writes to the disk. What keeps each file system from it
was measured: see docs/explanation/looking-writes-nothing.md.
"""

from pathlib import Path
from typing import Final

from bootrescue.errors import MachineLacksError
from bootrescue.host.host import Host
from bootrescue.host.runner import ToolError, run
from bootrescue.host.tools import require_root

# Documentation/filesystems/ext4, xfs(5), btrfs(5), f2fs: what leaves the journal alone
WITHOUT_REPLAY: Final = {
    "ext2": "noload",
    "ext3": "noload",
    "ext4": "noload",
    "xfs": "norecovery,nouuid",
    "btrfs": "rescue=nologreplay",
    "f2fs": "norecovery",
    "vfat": "",
    "squashfs": "",
    "erofs": "",
}
CONFINED: Final = "nodev,nosuid,noexec"
# Documentation/filesystems/overlayfs.rst: these separate directories and options
OVERLAY_SPECIAL: Final = ":,\\"


def can_mount(file_system_type: str) -> bool:
    """Whether this type can be looked at without writing to it."""
    return file_system_type in WITHOUT_REPLAY


def mounted(host: Host, device: str, file_system_type: str, *, at: Path | None = None, writable: bool = False) -> Path:
    """Mount a device for as long as the host lives; gives the mount point.

    Raises:
        MachineLacksError: no root, an unknown type, or the kernel refuses it (the message is mount's own).
    """
    require_root("looking into a file system")
    if not can_mount(file_system_type):
        raise MachineLacksError(f"no way is known to look into {file_system_type} without writing", where=device)
    options = ["rw" if writable else "ro", CONFINED]
    if writable:
        options += ["nouuid"] if file_system_type == "xfs" else []
    else:
        options += [WITHOUT_REPLAY[file_system_type]]
    mount_point = at if at is not None else host.new_directory("mount")
    _mount(host, device, file_system_type, ",".join(filter(None, options)), mount_point)
    return mount_point


def overlaid(host: Host, lower: Path) -> Path:
    """A writable view of a directory whose changes land in memory or in the host's working directory only."""
    if any(character in str(lower) for character in OVERLAY_SPECIAL):
        raise MachineLacksError("a name holds a character that overlay mounts cannot take", where=str(lower))
    upper, work, view = (host.new_directory(f"overlay-{name}") for name in ("upper", "work", "view"))
    options = f"lowerdir={lower},upperdir={upper},workdir={work}"
    _mount(host, "overlay", "overlay", options, view)
    return view


def unmounted(mount_point: Path) -> None:
    """Unmount now, flushed to the device, rather than at the host's end.

    Raises:
        MachineLacksError: something still uses it.
    """
    try:
        run(["umount", str(mount_point)])
    except ToolError as error:
        raise MachineLacksError(f"could not be unmounted: {error.what}", where=str(mount_point)) from error


def _mount(host: Host, device: str, file_system_type: str, options: str, mount_point: Path) -> None:
    # fmt: skip keeps an option and its value on one line
    argv = [
        "mount",
        "--no-mtab",
        "--types", file_system_type,
        "--options", options,
        device,
        str(mount_point),
    ]  # fmt: skip
    try:
        run(argv)
    except ToolError as error:
        raise MachineLacksError(
            f"the {file_system_type} file system could not be mounted: {error.what}",
            where=str(mount_point) if device == "overlay" else device,
            hint="the kernel's reason is in dmesg",
        ) from error
    host.resources.callback(_unmount_if_mounted, mount_point)


def _unmount_if_mounted(mount_point: Path) -> None:
    if mount_point.is_mount():
        unmounted(mount_point)

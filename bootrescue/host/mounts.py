"""Mount file systems for the life of a host: read-only and without journal replay unless asked.

`mount -o ro` alone replays the journal of ext4 and XFS and so writes to the disk. What keeps each file system from it
was measured: see docs/explanation/looking-writes-nothing.md.
"""

from pathlib import Path
from typing import Final

from bootrescue.errors import MachineLacksError
from bootrescue.host.host import Host, make_private
from bootrescue.host.mount_table import is_mount_point
from bootrescue.host.runner import ToolError, run
from bootrescue.host.tools import require_root

# ext4(5), xfs(5), btrfs(5), Documentation/filesystems/f2fs.rst: what leaves the journal alone; ext2 has none, and its
# own driver refuses noload
WITHOUT_REPLAY: Final = {
    "ext2": "",
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
    """A writable view of a directory whose changes land in memory only.

    A tmpfs holds them, since the working directory may lie on an overlay itself (as on a live medium), and an overlay
    is refused as the upper layer of another.

    Raises:
        MachineLacksError: overlay mounts are missing here.
    """
    if any(character in str(lower) for character in OVERLAY_SPECIAL):
        raise MachineLacksError("a name holds a character that overlay mounts cannot take", where=str(lower))
    memory, view = host.new_directory("overlay-memory"), host.new_directory("overlay-view")
    _mount(host, "tmpfs", "tmpfs", "mode=0700", memory)
    upper, work = make_private(memory / "upper"), make_private(memory / "work")
    options = f"lowerdir={lower},upperdir={upper},workdir={work}"
    _mount(host, "overlay", "overlay", options, view)
    return view


def bound(host: Host, device: str) -> Path:
    """A device under a second path that nothing ever had before, for as long as the host lives."""
    place = host.new_directory("device") / "device"
    place.touch(mode=0o600)
    _run_mount(["mount", "--no-mtab", "--bind", device, str(place)], f"{device} could not be shown", place)
    host.resources.callback(_unmount_if_mounted, place)
    return place


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
    where = device if device.startswith("/") else str(mount_point)
    _run_mount(argv, f"the {file_system_type} file system could not be mounted", where)
    host.resources.callback(_unmount_if_mounted, mount_point)


def _run_mount(argv: list[str], failure: str, where: Path | str) -> None:
    try:
        run(argv)
    except ToolError as error:
        raise MachineLacksError(
            f"{failure}: {error.what}", where=str(where), hint="the kernel's reason is in dmesg"
        ) from error


def _unmount_if_mounted(mount_point: Path) -> None:
    if is_mount_point(mount_point):
        unmounted(mount_point)

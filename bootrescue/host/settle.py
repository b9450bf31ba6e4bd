"""Bring what was written to where GRUB looks for it.

GRUB reads the raw disk and replays no journal: on ext4 and btrfs it sees a renamed file only after a sync, on XFS
only once the file system was frozen, or quiesced as an unmount does it (docs/explanation/what-grub-sees.md).

Read-only and back quiesces it as well, and unlike a freeze it cannot outlive us: killed between FIFREEZE and FITHAW,
a process leaves a file system that stays frozen, with its loop device, until the machine is restarted.
"""

import ctypes
import os
from pathlib import Path
from typing import Final

from bootrescue.host.mount_table import mount_table
from bootrescue.host.runner import ToolError, run

_libc: Final = ctypes.CDLL(None, use_errno=True)


def settle(mount_point: Path) -> bool:
    """Flush a file system, and quiesce it by mounting it read-only and for writing again.

    Gives False where only a flush was done: a file system that this machine uses elsewhere too, above all the one it
    runs from, is left alone, and so is one in which somebody holds a file open for writing.

    Raises:
        OSError: the file system reports an error while it flushes.
        ToolError: it was quiesced and cannot be mounted for writing again.
    """
    descriptor = os.open(mount_point, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if _libc.syncfs(descriptor) != 0:
            error = ctypes.get_errno()
            raise OSError(error, os.strerror(error), str(mount_point))
        if not _is_used_there_only(descriptor, mount_point.resolve()):
            return False
    finally:
        os.close(descriptor)
    try:
        _remount(mount_point, "ro")
    except ToolError:
        return False
    _remount(mount_point, "rw")
    return True


def _remount(mount_point: Path, mode: str) -> None:
    run(["mount", "--no-mtab", "--options", f"remount,{mode}", str(mount_point)])


def _is_used_there_only(descriptor: int, directory: Path) -> bool:
    """Whether every mount of the file system that a directory lies on is that directory, or below it."""
    rows = mount_table()
    number = int(Path(f"/proc/self/fdinfo/{descriptor}").read_text(encoding="ascii").split("mnt_id:")[1].split()[0])
    device = next(row.device for row in rows if row.number == number)
    return directory != Path("/") and all(
        row.mount_point.is_relative_to(directory) for row in rows if row.device == device
    )

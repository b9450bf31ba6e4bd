"""Bring what was written to where GRUB looks for it.

GRUB reads the raw disk and replays no journal: on ext4 and btrfs it sees a renamed file only after a sync, on XFS
only after a freeze (measured, see docs/explanation/what-grub-sees.md).
"""

import ctypes
import errno
import fcntl
import os
import signal
from pathlib import Path
from typing import Final

from bootrescue.host.mount_table import mount_table

# include/uapi/linux/fs.h, Linux 6.12: _IOWR('X', 119, int) and _IOWR('X', 120, int)
FIFREEZE: Final = 0xC0045877
FITHAW: Final = 0xC0045878
_libc: Final = ctypes.CDLL(None, use_errno=True)


def settle(mount_point: Path) -> bool:
    """Bring everything written to a file system to the place where GRUB looks for it: freeze it and thaw it.

    Gives False where only a sync was done: FAT has no freeze (and no journal, so a sync is enough), and a file system
    that this machine uses elsewhere too, above all the one it runs from, must never be frozen.

    Raises:
        OSError: the file system reports an error while it flushes.
    """
    descriptor = os.open(mount_point, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if _libc.syncfs(descriptor) != 0:
            error = ctypes.get_errno()
            raise OSError(error, os.strerror(error), str(mount_point))
        return _is_used_there_only(descriptor, mount_point.resolve()) and _freeze_and_thaw(descriptor)
    finally:
        os.close(descriptor)


def _is_used_there_only(descriptor: int, directory: Path) -> bool:
    """Whether every mount of the file system that a directory lies on is that directory, or below it."""
    rows = mount_table()
    number = int(Path(f"/proc/self/fdinfo/{descriptor}").read_text(encoding="ascii").split("mnt_id:")[1].split()[0])
    device = next(row.device for row in rows if row.number == number)
    return directory != Path("/") and all(
        row.mount_point.is_relative_to(directory) for row in rows if row.device == device
    )


def _freeze_and_thaw(descriptor: int) -> bool:
    """Freeze and thaw with every signal held back: stopped in between, the file system would stay frozen for ever."""
    held = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        fcntl.ioctl(descriptor, FIFREEZE, 0)
        fcntl.ioctl(descriptor, FITHAW, 0)
    except OSError as error:
        if error.errno in {errno.EOPNOTSUPP, errno.ENOTTY, errno.EPERM}:
            return False
        raise
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, held)
    return True

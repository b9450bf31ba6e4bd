"""Hold a disk or image while it is written to."""

import errno
import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bootrescue.errors import RefusedError


@contextmanager
def locked(path: str) -> Iterator[None]:
    """Hold the only lock that bootrescue takes on a disk or image before it writes there.

    A block device is held exclusively as well: while something on it is mounted or used, it cannot be had, and nobody
    can mount it until the end.

    Raises:
        RefusedError: another bootrescue is writing to it, or this machine uses it.
    """
    exclusive = os.O_EXCL if stat.S_ISBLK(Path(path).stat().st_mode) else 0
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | exclusive)
    except OSError as error:
        if error.errno != errno.EBUSY:
            raise
        raise RefusedError(
            "this machine uses it: something on it is mounted, or part of a volume",
            where=path,
            hint="unmount it here first (findmnt shows where), or name the mounted tree with --root DIR",
        ) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RefusedError(
                "another program holds a lock on it", where=path, hint="wait until the other one has ended"
            ) from error
        yield
    finally:
        os.close(descriptor)

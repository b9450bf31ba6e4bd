"""The working directory of a host: made, locked while its owner lives, removed at the end, or by whoever comes next.

The lock tells a directory in use from one whose owner was killed: the kernel drops it with the process, and no number
of a process can be taken for another's.
"""

import fcntl
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from bootrescue.errors import MachineLacksError
from bootrescue.host.mount_table import has_mounts_in

PREFIX: Final = "bootrescue-work-"
# tempfile's names: eight characters of this alphabet
NAME: Final = re.compile(re.escape(PREFIX) + r"[a-z0-9_]{8}")


@contextmanager
def working_directory() -> Iterator[Path]:
    """A private directory for the length of a with block.

    Raises:
        MachineLacksError: something is still mounted in it at the end; then it stays, for nothing may be deleted
            through a mount.
    """
    work, lock = _make_locked()
    try:
        yield work
    finally:
        try:
            if has_mounts_in(work):
                raise MachineLacksError("a file system could not be unmounted", where=str(work))
            shutil.rmtree(work)
        finally:
            os.close(lock)


def _make_locked() -> tuple[Path, int]:
    while True:
        work = Path(tempfile.mkdtemp(prefix=PREFIX)).resolve()
        # between its making and its lock, another start may have taken it for a leftover
        with suppress(FileNotFoundError):
            lock = _locked(work)
            if lock is not None:
                return work, lock


def remove_leftovers() -> None:
    """Remove directories whose makers were killed: ours by name and owner, locked by nobody, nothing mounted there."""
    with os.scandir(tempfile.gettempdir()) as entries:
        names = [Path(entry.path) for entry in entries if NAME.fullmatch(entry.name)]
    for work in names:
        with suppress(OSError):
            _remove_leftover(work)


def _remove_leftover(work: Path) -> None:
    status = work.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
        return
    lock = _locked(work)
    if lock is None:
        return
    try:
        if not has_mounts_in(work):
            shutil.rmtree(work)
    finally:
        os.close(lock)


def _locked(work: Path) -> int | None:
    """Lock a directory; None when somebody else holds it, or it was replaced meanwhile."""
    lock = os.open(work, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(lock), os.stat(work, follow_symlinks=False)):  # noqa: PTH116 -- beside fstat
            return lock
    except OSError:
        pass
    os.close(lock)
    return None

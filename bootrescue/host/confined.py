"""Open files inside a root directory, with no way out of it by link or "..".

The kernel itself resolves the path (openat2 with RESOLVE_IN_ROOT, Linux 5.6; include/uapi/linux/openat2.h): absolute
links on the target start at the target's root, as they would on the target.
"""

import ctypes
import errno
import os
import stat
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from bootrescue.errors import BadInputError, MachineLacksError

SYS_OPENAT2: Final = 437
RESOLVE_NO_MAGICLINKS: Final = 0x02
RESOLVE_IN_ROOT: Final = 0x10
OPEN_HOW: Final = struct.Struct("=QQQ")
# openat2 answers EAGAIN when something was renamed under it; on a target at rest one attempt is enough.
ATTEMPTS: Final = 8

_libc: Final = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfinedRoot:
    """A directory on this machine that is somebody else's root. `path` is where it is here."""

    path: Path

    def find(self, name: PurePosixPath | str) -> int:
        """A descriptor (O_PATH) of whatever the name leads to, which is not opened; the caller closes it.

        Raises:
            OSError: as open(2).
        """
        root = os.open(self.path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            return _openat2(root, _encoded(name))
        finally:
            os.close(root)

    def open(self, name: PurePosixPath | str, flags: int = os.O_RDONLY) -> int:
        """Open a file or a directory of the target; the caller closes the descriptor.

        Devices, fifos and sockets are refused before they are opened: opening them has effects, or waits for ever.

        Raises:
            OSError: as open(2).
            BadInputError: there is something else than a regular file or a directory.
        """
        found = self.find(name)
        try:
            kind = os.fstat(found).st_mode
            if not stat.S_ISREG(kind) and not stat.S_ISDIR(kind):
                raise BadInputError("is neither a file nor a directory", where=str(name))
            return os.open(f"/proc/self/fd/{found}", flags | os.O_CLOEXEC)
        finally:
            os.close(found)

    @contextmanager
    def parent_of(self, name: PurePosixPath | str) -> Iterator[tuple[int, str]]:
        """The directory that holds a name (links followed inside the root), and the last part of the name."""
        pure = PurePosixPath(name)
        if pure.name in {"", ".."} or b"\0" in _encoded(name):
            raise BadInputError("is no name of a file", where=str(name))
        directory = self.open(pure.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            yield directory, pure.name
        finally:
            os.close(directory)

    def real_name(self, name: PurePosixPath | str) -> PurePosixPath:
        """The name with every link in it resolved, as the target sees it.

        Raises:
            OSError: it does not exist.
        """
        descriptor = self.find(name)
        try:
            here = Path(f"/proc/self/fd/{descriptor}").readlink()
        finally:
            os.close(descriptor)
        return PurePosixPath("/") / here.relative_to(self.path.resolve())

    def here(self, name: PurePosixPath | str) -> Path:
        """Where a name of the target lies on this machine, its links resolved inside the root."""
        return self.path.resolve() / self.real_name(name).relative_to("/")


def _encoded(name: PurePosixPath | str) -> bytes:
    try:
        return os.fsencode(str(name))
    except UnicodeEncodeError as error:
        raise FileNotFoundError(errno.ENOENT, "no file can have this name", repr(str(name))) from error


def _openat2(root: int, name: bytes) -> int:
    if b"\0" in name:
        # C would read the name up to there only, and open another file
        raise FileNotFoundError(errno.ENOENT, "no file can have this name", os.fsdecode(name))
    how = OPEN_HOW.pack(os.O_PATH | os.O_CLOEXEC, 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)
    error = errno.EAGAIN
    for _ in range(ATTEMPTS):
        descriptor = int(_libc.syscall(SYS_OPENAT2, root, name, how, len(how)))
        if descriptor >= 0:
            return descriptor
        error = ctypes.get_errno()
        if error != errno.EAGAIN:
            break
    if error == errno.ENOSYS:
        raise MachineLacksError(
            "this kernel cannot open files confined to a directory (openat2)", hint="use Linux 5.6 or later"
        )
    raise OSError(error, os.strerror(error), os.fsdecode(name))

"""A view into a file system: the few questions that the rooms above ask, whoever answers them.

The protocol, and a tree held in memory; the one over a real directory is in access.py.
"""

import errno
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import PurePosixPath
from typing import BinaryIO, Final, Protocol

from bootrescue.errors import BadInputError

# Configuration files are small; one that is not was made to hurt.
TEXT_LIMIT_BYTES: Final = 16 << 20


class FileKind(StrEnum):
    """What a name stands for."""

    FILE = "file"
    DIRECTORY = "directory"
    LINK = "link"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What the file system says of a file. `device` tells file systems apart, `inode` files within one."""

    kind: FileKind
    size_bytes: int
    modified_ns: int = 0
    device: int = 0
    inode: int = 0
    mode: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryEntry:
    """One name in a directory; links are not followed."""

    name: str
    kind: FileKind


class FileTree(Protocol):
    """A root directory with what is below it. Paths are absolute and resolved as the target would resolve them."""

    def status(self, path: PurePosixPath) -> Status | None:
        """What a path leads to, links followed; None when there is nothing."""

    def entries(self, path: PurePosixPath) -> tuple[DirectoryEntry, ...]:
        """The names in a directory, sorted; none when it is not there or cannot be read."""

    def open(self, path: PurePosixPath) -> BinaryIO:
        """A stream of a regular file. Raises OSError, or BadInputError for a device or fifo."""

    def real_name(self, path: PurePosixPath) -> PurePosixPath:
        """The path with its links resolved. Raises OSError."""


def read_bytes(tree: FileTree, path: PurePosixPath, limit_bytes: int = TEXT_LIMIT_BYTES) -> bytes | None:
    """The content of a small file; None when it is not there or is no file.

    Raises:
        BadInputError: it is larger than such a file ever is.
    """
    found = tree.status(path)
    if found is None or found.kind is not FileKind.FILE:
        return None
    with tree.open(path) as stream:
        content = stream.read(limit_bytes + 1)
    if len(content) > limit_bytes:
        raise BadInputError(f"is larger than {limit_bytes} bytes, far more than such a file needs", where=str(path))
    return content


@dataclass(frozen=True, slots=True)
class MemoryTree:
    """A tree held in memory: a machine described in a few lines, for tests and for what is not on a disk."""

    files: Mapping[str, bytes]
    links: Mapping[str, str] = field(default_factory=dict)

    def status(self, path: PurePosixPath) -> Status | None:
        """See FileTree."""
        try:
            real = str(self.real_name(path))
        except OSError:
            return None
        if real in self.files:
            return Status(kind=FileKind.FILE, size_bytes=len(self.files[real]))
        return Status(kind=FileKind.DIRECTORY, size_bytes=0)

    def entries(self, path: PurePosixPath) -> tuple[DirectoryEntry, ...]:
        """See FileTree."""
        try:
            prefix = str(self.real_name(path)).rstrip("/") + "/"
        except OSError:
            return ()
        found: dict[str, FileKind] = {}
        for name, kind in (*((f, FileKind.FILE) for f in self.files), *((f, FileKind.LINK) for f in self.links)):
            if name.startswith(prefix):
                first, slash, _ = name.removeprefix(prefix).partition("/")
                found[first] = FileKind.DIRECTORY if slash else kind
        return tuple(DirectoryEntry(name=name, kind=found[name]) for name in sorted(found))

    def open(self, path: PurePosixPath) -> BinaryIO:
        """See FileTree."""
        return io.BytesIO(self.files[str(self.real_name(path))])

    def real_name(self, path: PurePosixPath) -> PurePosixPath:
        """See FileTree."""
        here = PurePosixPath("/")
        parts = list(reversed(path.parts[1:] if path.is_absolute() else path.parts))
        for _ in range(400):
            if not parts:
                break
            part = parts.pop()
            here = here.parent if part == ".." else here / part
            link = self.links.get(str(here))
            if link is not None:
                parts.extend(
                    reversed(PurePosixPath(link).parts[1:] if link.startswith("/") else PurePosixPath(link).parts)
                )
                here = PurePosixPath("/") if link.startswith("/") else here.parent
        if str(here) in self.files or any(name.startswith(str(here).rstrip("/") + "/") for name in self.files):
            return here
        raise FileNotFoundError(errno.ENOENT, "No such file or directory", str(path))

"""A directory of this machine (usually a mount point) seen as a root of its own, with no way out of it."""

import errno
import os
import stat
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final

from bootrescue.filesystems.tree import DirectoryEntry, FileKind, Status
from bootrescue.host.confined import ConfinedRoot

# What the kernel says of a path that leads nowhere, or nowhere that may be seen
NOTHING_THERE: Final = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EACCES, errno.ENAMETOOLONG}


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfinedTree:
    """A directory of this machine (usually a mount point) seen as a root of its own."""

    root: ConfinedRoot

    def status(self, path: PurePosixPath) -> Status | None:
        """See FileTree."""
        try:
            descriptor = self.root.find(path)
        except OSError as error:
            if error.errno in NOTHING_THERE:
                return None
            raise
        try:
            return _status(os.fstat(descriptor))
        finally:
            os.close(descriptor)

    def entries(self, path: PurePosixPath) -> tuple[DirectoryEntry, ...]:
        """See FileTree."""
        try:
            descriptor = self.root.open(path, os.O_RDONLY | os.O_DIRECTORY)
        except OSError:
            return ()
        try:
            with os.scandir(descriptor) as found:
                return tuple(sorted((_directory_entry(entry) for entry in found), key=lambda entry: entry.name))
        finally:
            os.close(descriptor)

    def open(self, path: PurePosixPath) -> BinaryIO:
        """See FileTree."""
        return os.fdopen(self.root.open(path), "rb")

    def real_name(self, path: PurePosixPath) -> PurePosixPath:
        """See FileTree."""
        return self.root.real_name(path)


def confined_tree(directory: Path) -> ConfinedTree:
    """See a directory of this machine as a root of its own."""
    return ConfinedTree(root=ConfinedRoot(path=directory))


def _directory_entry(entry: "os.DirEntry[str]") -> DirectoryEntry:
    if entry.is_symlink():
        kind = FileKind.LINK
    elif entry.is_dir(follow_symlinks=False):
        kind = FileKind.DIRECTORY
    elif entry.is_file(follow_symlinks=False):
        kind = FileKind.FILE
    else:
        kind = FileKind.OTHER
    return DirectoryEntry(name=entry.name, kind=kind)


def _status(found: os.stat_result) -> Status:
    kinds = {stat.S_IFREG: FileKind.FILE, stat.S_IFDIR: FileKind.DIRECTORY, stat.S_IFLNK: FileKind.LINK}
    return Status(
        kind=kinds.get(stat.S_IFMT(found.st_mode), FileKind.OTHER),
        size_bytes=found.st_size,
        modified_ns=found.st_mtime_ns,
        device=found.st_dev,
        inode=found.st_ino,
        mode=stat.S_IMODE(found.st_mode),
    )

"""Replace a file so that a power cut leaves the old content or the new.

GRUB, which replays no journal, sees the new content once the file system is settled (settle.py).
"""

import errno
import hashlib
import os
import re
import secrets
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Final

from bootrescue.errors import BadInputError, RefusedError
from bootrescue.host.attributes import Attributes
from bootrescue.host.confined import ConfinedRoot

STAGED_PREFIX: Final = ".bootrescue-"
STAGED_NAME: Final = re.compile(r"\.bootrescue-[0-9a-f]{16}")


def replace(
    root: ConfinedRoot,
    name: PurePosixPath,
    chunks: Iterable[bytes],
    attributes: Attributes,
    *,
    expect_sha256: str = "",
) -> str:
    """Put new content under a name: staged beside it, flushed, renamed, its directory flushed.

    A hard link to the old content keeps the old content. Gives the SHA-256 of what was written.

    Raises:
        OSError: the disk is full, read-only or broken; the old content is untouched.
        BadInputError: the name is a link or something else that must not be replaced.
        RefusedError: the bytes are not the ones expected; the old content is untouched.
    """
    with root.parent_of(name) as (directory, last):
        _require_plain(directory, last, name)
        staged = f"{STAGED_PREFIX}{secrets.token_hex(8)}"
        try:
            digest = _write_new(directory, staged, chunks, attributes)
            _require_expected(digest, expect_sha256, name)
            os.rename(staged, last, src_dir_fd=directory, dst_dir_fd=directory)
        except BaseException:
            with suppress(OSError):
                os.unlink(staged, dir_fd=directory)
            raise
        os.fsync(directory)
        return digest


def _require_plain(directory: int, last: str, name: PurePosixPath) -> None:
    """Refuse a name that is taken by something else than a file, without opening it: a fifo would wait for ever."""
    try:
        status = os.stat(last, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return
    if not stat.S_ISREG(status.st_mode):
        raise BadInputError("is a link or a special file and is not written to", where=str(name))


def _require_expected(digest: str, expected: str, name: PurePosixPath) -> None:
    if expected not in {"", digest}:
        raise RefusedError("what was read to replace it is not what was expected", where=str(name))


def _write_new(directory: int, staged: str, chunks: Iterable[bytes], attributes: Attributes) -> str:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(staged, flags, 0o600, dir_fd=directory)
    try:
        digest = hashlib.sha256()
        for chunk in chunks:
            digest.update(chunk)
            _write_whole(descriptor, chunk)
        _set_attributes(descriptor, attributes)
        os.fsync(descriptor)
        return digest.hexdigest()
    finally:
        os.close(descriptor)


def _write_whole(descriptor: int, chunk: bytes) -> None:
    rest = memoryview(chunk)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _set_attributes(descriptor: int, attributes: Attributes) -> None:
    """Best effort where the file system has no such thing: FAT refuses chmod and chown."""
    with suppress(PermissionError):
        os.fchown(descriptor, attributes.owner, attributes.group)
    with suppress(PermissionError):
        os.fchmod(descriptor, attributes.mode)
    for key, value in attributes.extended:
        try:
            os.setxattr(descriptor, key, value)
        except OSError as error:
            if error.errno != errno.ENOTSUP:
                raise
    if attributes.modified_ns is not None:
        os.utime(descriptor, ns=(attributes.modified_ns, attributes.modified_ns))


def remove(root: ConfinedRoot, name: PurePosixPath) -> None:
    """Delete a file and flush its directory; that it is already gone, with its directory or not, is fine."""
    with suppress(FileNotFoundError), root.parent_of(name) as (directory, last):
        with suppress(FileNotFoundError):
            os.unlink(last, dir_fd=directory)
        os.fsync(directory)


def discard_staged(root: ConfinedRoot, directory: PurePosixPath) -> None:
    """Delete what a power cut left staged in a directory. Only who holds the lock may: nobody else is staging then."""
    descriptor = root.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with os.scandir(descriptor) as entries:
            staged = [entry.name for entry in entries if STAGED_NAME.fullmatch(entry.name)]
        for name in staged:
            os.unlink(name, dir_fd=descriptor)
        if staged:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_link(root: ConfinedRoot, name: PurePosixPath, target: str) -> None:
    """Make a symbolic link of the target; the name must be free."""
    with root.parent_of(name) as (directory, last):
        os.symlink(target, last, dir_fd=directory)
        os.fsync(directory)


def make_directories(root: ConfinedRoot, name: PurePosixPath) -> None:
    """Make a directory of the target and those above it, readable by root only, each flushed into its parent."""
    for part in (*reversed(name.parents), name):
        if part == PurePosixPath("/"):
            continue
        with root.parent_of(part) as (directory, last), suppress(FileExistsError):
            os.mkdir(last, 0o700, dir_fd=directory)
            os.fsync(directory)


def append(root: ConfinedRoot, name: PurePosixPath, line: bytes) -> None:
    """Append one line to a file of the target (made when absent) and flush it before returning.

    What a power cut left of an earlier last line is cut off first, and a line that does not fit leaves nothing: a file
    of whole lines stays one.

    Raises:
        OSError: the disk is full, read-only or broken.
        BadInputError: the name is a link or a special file.
    """
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    with root.parent_of(name) as (directory, last):
        _require_plain(directory, last, name)
        descriptor = os.open(last, flags, 0o600, dir_fd=directory)
        try:
            whole_bytes = _cut_torn_line(descriptor)
            try:
                _write_whole(descriptor, line)
            except OSError:
                os.ftruncate(descriptor, whole_bytes)
                raise
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.fsync(directory)


def _cut_torn_line(descriptor: int) -> int:
    """Cut a file back to its last newline; gives its size then."""
    size = os.fstat(descriptor).st_size
    if size and os.pread(descriptor, 1, size - 1) != b"\n":
        size = os.pread(descriptor, size, 0).rfind(b"\n") + 1
        os.ftruncate(descriptor, size)
    return size


def write_here(path: Path, content: bytes) -> None:
    """Write a file of this machine (a plan, a report), whole or not at all.

    Raises:
        OSError: it cannot be written.
    """
    root = ConfinedRoot(path=path.parent.resolve())
    replace(
        root,
        PurePosixPath("/") / path.name,
        (content,),
        Attributes(mode=0o644, owner=os.geteuid(), group=os.getegid()),
    )


def copy_here(source: Path, copy: Path) -> None:
    """Copy a small file of this machine."""
    copy.write_bytes(source.read_bytes())

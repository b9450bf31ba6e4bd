"""Replace a file so that a power cut leaves the old content or the new, and GRUB sees the new.

GRUB reads the raw disk and replays no journal: on ext4 and btrfs it sees a renamed file only after a sync, on XFS
only after a freeze (measured, see docs/explanation/what-grub-sees.md). Hence `settle` at the end of every change.
"""

import errno
import fcntl
import hashlib
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import Final

from bootrescue.errors import BadInputError, BootRescueError, RefusedError
from bootrescue.host.attributes import Attributes
from bootrescue.host.confined import ConfinedRoot

# include/uapi/linux/fs.h, Linux 6.12: _IOWR('X', 119, int) and _IOWR('X', 120, int)
FIFREEZE: Final = 0xC0045877
FITHAW: Final = 0xC0045878
CHUNK_BYTES: Final = 1 << 20
STAGED_PREFIX: Final = ".bootrescue-"


def read_attributes(root: ConfinedRoot, name: PurePosixPath) -> Attributes:
    """The attributes of a file of the target.

    Raises:
        OSError: it cannot be opened.
    """
    descriptor = root.open(name)
    try:
        status = os.fstat(descriptor)
        return Attributes(
            mode=status.st_mode & 0o7777,
            owner=status.st_uid,
            group=status.st_gid,
            modified_ns=status.st_mtime_ns,
            extended=tuple((key, os.getxattr(descriptor, key)) for key in _attribute_names(descriptor)),
        )
    finally:
        os.close(descriptor)


def _attribute_names(descriptor: int) -> list[str]:
    try:
        return sorted(os.listxattr(descriptor))
    except OSError as error:
        if error.errno == errno.ENOTSUP:
            return []
        raise


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
        _require_replaceable(directory, last, name)
        staged = f"{STAGED_PREFIX}{secrets.token_hex(8)}"
        try:
            digest = _write_new(directory, staged, chunks, attributes)
            if expect_sha256 not in {"", digest}:
                raise RefusedError("what was read to replace it is not what was expected", where=str(name))
            os.rename(staged, last, src_dir_fd=directory, dst_dir_fd=directory)
        except (OSError, BootRescueError):
            with suppress(OSError):
                os.unlink(staged, dir_fd=directory)
            raise
        os.fsync(directory)
        return digest


def _require_replaceable(directory: int, last: str, name: PurePosixPath) -> None:
    try:
        descriptor = os.open(last, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=directory)
    except FileNotFoundError:
        return
    except OSError as error:
        raise BadInputError("is a link or a special file and is not replaced", where=str(name)) from error
    os.close(descriptor)


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
    """Delete a file and flush its directory; that it is already gone is fine."""
    with root.parent_of(name) as (directory, last):
        with suppress(FileNotFoundError):
            os.unlink(last, dir_fd=directory)
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
    """Append one line to a file of the target (made when absent) and flush it before returning."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    with root.parent_of(name) as (directory, last):
        descriptor = os.open(last, flags, 0o600, dir_fd=directory)
        try:
            _write_whole(descriptor, line)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.fsync(directory)


def read_chunks(root: ConfinedRoot, name: PurePosixPath, *, from_device: bool = False) -> Iterator[bytes]:
    """The bytes of a file, in chunks; `from_device` drops what the page cache holds of it first.

    Raises:
        OSError: it cannot be read.
    """
    descriptor = root.open(name)
    try:
        if from_device:
            os.fsync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        while chunk := os.read(descriptor, CHUNK_BYTES):
            yield chunk
    finally:
        os.close(descriptor)


def digest_of(root: ConfinedRoot, name: PurePosixPath, *, from_device: bool = False) -> str | None:
    """The SHA-256 of a file of the target, or None when there is none of that name."""
    digest = hashlib.sha256()
    try:
        for chunk in read_chunks(root, name, from_device=from_device):
            digest.update(chunk)
    except FileNotFoundError:
        return None
    return digest.hexdigest()


def free_bytes(root: ConfinedRoot, name: PurePosixPath) -> int:
    """Bytes that root may still write to the file system that holds a directory."""
    with_descriptor = root.open(name, os.O_RDONLY | os.O_DIRECTORY)
    try:
        figures = os.fstatvfs(with_descriptor)
    finally:
        os.close(with_descriptor)
    return figures.f_bfree * figures.f_frsize


def settle(mount_point: Path) -> bool:
    """Bring everything written to a file system to the place where GRUB looks for it: freeze it and thaw it.

    Gives False where only a sync was done: FAT has no freeze (and no journal, so a sync is enough), and the file
    system that this machine itself runs from must never be frozen.

    Raises:
        OSError: the file system reports an error while it flushes.
    """
    with _directory(mount_point) as descriptor:
        os.sync()
        if mount_point.stat().st_dev in {Path("/").stat().st_dev, Path("/usr").stat().st_dev}:
            return False
        try:
            fcntl.ioctl(descriptor, FIFREEZE, 0)
        except OSError as error:
            if error.errno in {errno.EOPNOTSUPP, errno.ENOTTY, errno.EPERM}:
                return False
            raise
        fcntl.ioctl(descriptor, FITHAW, 0)
        return True


@contextmanager
def _directory(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


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


@contextmanager
def locked(path: str) -> Iterator[None]:
    """Hold the only lock that bootrescue takes on a disk or image before it writes there.

    Raises:
        RefusedError: another bootrescue is writing to it.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
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

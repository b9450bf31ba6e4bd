"""Replace a file so that a power cut leaves the old content or the new, and GRUB sees the new.

GRUB reads the raw disk and replays no journal: on ext4 and btrfs it sees a renamed file only after a sync, on XFS
only after a freeze (measured, see docs/explanation/what-grub-sees.md). Hence `settle` at the end of every change.
"""

import ctypes
import errno
import fcntl
import hashlib
import os
import re
import secrets
import signal
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import Final

from bootrescue.errors import BadInputError, RefusedError
from bootrescue.host.attributes import Attributes
from bootrescue.host.confined import ConfinedRoot
from bootrescue.host.mount_table import mount_table

# include/uapi/linux/fs.h, Linux 6.12: _IOWR('X', 119, int) and _IOWR('X', 120, int)
FIFREEZE: Final = 0xC0045877
FITHAW: Final = 0xC0045878
CHUNK_BYTES: Final = 1 << 20
_libc: Final = ctypes.CDLL(None, use_errno=True)
STAGED_PREFIX: Final = ".bootrescue-"
STAGED_NAME: Final = re.compile(r"\.bootrescue-[0-9a-f]{16}")


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

"""Read files of a target: content, digest, attributes; past the page cache where the device itself is asked."""

import errno
import hashlib
import os
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Final

from bootrescue.host.attributes import Attributes
from bootrescue.host.confined import ConfinedRoot

CHUNK_BYTES: Final = 1 << 20


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

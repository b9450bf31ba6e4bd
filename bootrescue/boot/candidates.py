"""Backup images, found by content: any name, any folder, on any file system of the target."""

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Final

from bootrescue.errors import BadInputError
from bootrescue.filesystems.tree import FileKind, FileTree, Status
from bootrescue.formats.compression import Codec, identify_codec
from bootrescue.formats.initramfs import looks_like_image
from bootrescue.host.host import Host

# The smallest image that could hold an init, and the largest that a loader would take
SMALLEST_BYTES: Final = 4 << 10
LARGEST_BYTES: Final = 2 << 30
# By these first bytes most files are told from an image; a stream gives its first bytes from them, but for a format
# that is unpacked block by block: the largest block of zstd is 128 KiB (RFC 8878, 3.1.1.2.4).
HEAD_BYTES: Final = 4 << 10
BLOCK_HEAD_BYTES: Final = 132 << 10
STREAMS: Final = frozenset({Codec.GZIP, Codec.XZ, Codec.LZMA, Codec.NONE})
# Kernel interfaces, and our own backups: those are the broken images
NEVER_SEARCHED: Final = frozenset(
    PurePosixPath(name) for name in ("/proc", "/sys", "/dev", "/run", "/var/lib/bootrescue")
)
# A directory that contains itself again (a bind mount, a damaged file system) must not keep us for ever
DEEPEST: Final = 64


def find_images(host: Host, tree: FileTree) -> tuple[PurePosixPath, ...]:
    """Every file below the root that begins like an initramfs image; hard links of one file are told once."""
    found = []
    seen: set[tuple[int, int]] = set()
    for path in _files(tree, PurePosixPath("/")):
        status = tree.status(path)
        if status is None or not _is_plausible(status):
            continue
        identity = (status.device, status.inode)
        if status.inode and identity in seen:
            continue
        seen.add(identity)
        if _begins_like_an_image(tree, path):
            host.report(f"found an image: {path}")
            found.append(path)
    return tuple(found)


def _files(tree: FileTree, top: PurePosixPath) -> Iterator[PurePosixPath]:
    pending = [top]
    while pending:
        directory = pending.pop()
        for entry in tree.entries(directory):
            path = directory / entry.name
            if entry.kind is FileKind.FILE:
                yield path
            elif entry.kind is FileKind.DIRECTORY and path not in NEVER_SEARCHED and len(path.parts) < DEEPEST:
                pending.append(path)


def _is_plausible(status: Status) -> bool:
    return status.kind is FileKind.FILE and SMALLEST_BYTES <= status.size_bytes <= LARGEST_BYTES


def _begins_like_an_image(tree: FileTree, path: PurePosixPath) -> bool:
    try:
        with tree.open(path) as stream:
            head = stream.read(HEAD_BYTES)
            start = head.lstrip(b"\0")
            codec = identify_codec(start)
            if start and codec is Codec.UNKNOWN:
                return False
            if not start or codec not in STREAMS:
                head += stream.read(BLOCK_HEAD_BYTES - HEAD_BYTES)
            return looks_like_image(head)
    except (OSError, BadInputError):
        return False

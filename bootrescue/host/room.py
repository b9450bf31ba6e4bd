"""How much root may still write to a file system: less than statfs calls free, by what the file system keeps back."""

import ctypes
import errno
import os
import struct
from dataclasses import dataclass
from typing import Final

# include/uapi/linux/magic.h, Linux 6.12
EXT_MAGIC: Final = 0xEF53
XFS_MAGIC: Final = 0x58465342
# fs/ext4/super.c, ext4_calculate_resv_clusters: counted as free, and given to nobody, root included
EXT_SHARE: Final = 50
EXT_MOST_BLOCKS: Final = 4096
# fs/xfs/xfs_mount.c, xfs_default_resblks: set aside when it is mounted for writing, so a read-only mount shows more
XFS_SHARE: Final = 20
XFS_MOST_BLOCKS: Final = 8192
# struct statfs begins with f_type, a long, and is 120 bytes at most
STATFS_BYTES: Final = 256

_libc: Final = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """The room of one file system; `free_inodes` is None where their number has no limit (btrfs, FAT)."""

    device: int
    free_bytes: int
    free_inodes: int | None


def room_in(descriptor: int) -> Room:
    """The room of the file system that an open file or directory lies on.

    Raises:
        OSError: it cannot be asked.
    """
    figures = os.fstatvfs(descriptor)
    read_only = bool(figures.f_flag & os.ST_RDONLY)
    kept_back = kept_back_blocks(_magic(descriptor), figures.f_blocks, read_only=read_only)
    return Room(
        device=os.fstat(descriptor).st_dev,
        free_bytes=max(0, figures.f_bfree - kept_back) * figures.f_frsize,
        free_inodes=figures.f_ffree if figures.f_files else None,
    )


def kept_back_blocks(magic: int, blocks: int, *, read_only: bool) -> int:
    """The blocks that are called free and cannot be written to."""
    if magic == EXT_MAGIC:
        return min(blocks // EXT_SHARE, EXT_MOST_BLOCKS)
    if magic == XFS_MAGIC and read_only:
        return min(blocks // XFS_SHARE, XFS_MOST_BLOCKS)
    return 0


def _magic(descriptor: int) -> int:
    answer = ctypes.create_string_buffer(STATFS_BYTES)
    if _libc.fstatfs(descriptor, answer) != 0:
        number = ctypes.get_errno() or errno.EIO
        raise OSError(number, os.strerror(number))
    (magic,) = struct.unpack_from("@l", answer)
    return int(magic)

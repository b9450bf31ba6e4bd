"""Whether there is room, before the first byte is written: for each file system its bytes and its inodes."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from bootrescue.errors import MachineLacksError
from bootrescue.host.confined import ConfinedRoot
from bootrescue.host.room import room_in
from bootrescue.transaction.model import STATE_DIRECTORY

# Room for the journal, directories and the file system's own book-keeping
MARGIN_BYTES: Final = 1 << 20
MARGIN_INODES: Final = 8
# A file takes whole blocks; larger ones than these are rare
BLOCK_BYTES: Final = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """A file that will be put in place; what it replaces is kept in the state directory first if `kept`."""

    path: PurePosixPath
    size_bytes: int
    kept: bool = True


@dataclass(slots=True)
class _FileSystem:
    """The room of one file system, and how much of it is taken while the writes go on."""

    directory: PurePosixPath
    free_bytes: int
    free_inodes: int | None
    taken_bytes: int = 0
    taken_inodes: int = 0
    peak_bytes: int = 0
    peak_inodes: int = 0

    def take(self, size_bytes: int) -> None:
        self.taken_bytes += size_bytes + BLOCK_BYTES
        self.taken_inodes += 1
        self.peak_bytes = max(self.peak_bytes, self.taken_bytes)
        self.peak_inodes = max(self.peak_inodes, self.taken_inodes)

    def give_back(self, size_bytes: int) -> None:
        self.taken_bytes -= size_bytes
        self.taken_inodes -= 1


def require_space(root: ConfinedRoot, writes: Iterable[Write]) -> None:
    """Go through the writes in their order, each new file beside the old one, and see whether there is room.

    Raises:
        MachineLacksError: there is not.
        OSError: the target cannot be read.
    """
    known: dict[int, _FileSystem] = {}
    for write in writes:
        place = _file_system_of(root, write.path.parent, known)
        old_bytes, links = _old(root, write.path)
        if links and write.kept:
            _file_system_of(root, STATE_DIRECTORY, known).take(old_bytes)
        place.take(write.size_bytes)
        if links == 1:
            place.give_back(old_bytes)
    for one in known.values():
        _require(one)


def _require(one: _FileSystem) -> None:
    hint = "free some, or point the entry at the backup: --remedy point-entry"
    wanted_bytes = one.peak_bytes + MARGIN_BYTES
    if one.free_bytes < wanted_bytes:
        raise MachineLacksError(
            f"its file system has too little space: {wanted_bytes} bytes are needed, {one.free_bytes} are free",
            where=str(one.directory),
            hint=hint,
        )
    wanted_inodes = one.peak_inodes + MARGIN_INODES
    if one.free_inodes is not None and one.free_inodes < wanted_inodes:
        raise MachineLacksError(
            f"its file system has too few inodes: {wanted_inodes} are needed, {one.free_inodes} are free",
            where=str(one.directory),
            hint="delete some files there",
        )


def _file_system_of(root: ConfinedRoot, directory: PurePosixPath, known: dict[int, _FileSystem]) -> _FileSystem:
    descriptor, found = _open_nearest(root, directory)
    try:
        room = room_in(descriptor)
    finally:
        os.close(descriptor)
    if room.device not in known:
        known[room.device] = _FileSystem(found, room.free_bytes, room.free_inodes)
    return known[room.device]


def _open_nearest(root: ConfinedRoot, directory: PurePosixPath) -> tuple[int, PurePosixPath]:
    """The directory itself, or the nearest one above it that exists."""
    for place in (directory, *directory.parents):
        try:
            return root.open(place, os.O_RDONLY | os.O_DIRECTORY), place
        except FileNotFoundError:
            continue
    raise FileNotFoundError(directory)


def size_of(root: ConfinedRoot, path: PurePosixPath) -> int:
    """The size of a file of the target; 0 when there is none."""
    return _old(root, path)[0]


def _old(root: ConfinedRoot, path: PurePosixPath) -> tuple[int, int]:
    """Size and number of hard links of what will be replaced; a file with several names gives no room back."""
    try:
        descriptor = root.open(path)
    except FileNotFoundError:
        return 0, 0
    try:
        status = os.fstat(descriptor)
    finally:
        os.close(descriptor)
    return status.st_size, status.st_nlink

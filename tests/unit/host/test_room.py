"""What file systems call free and keep back: the figures of Linux 6.12."""

import os
from pathlib import Path

import pytest

from bootrescue.host.room import EXT_MAGIC, XFS_MAGIC, kept_back_blocks, room_in


@pytest.mark.parametrize(
    ("magic", "blocks", "read_only", "kept"),
    [
        (EXT_MAGIC, 1_000, False, 20),
        (EXT_MAGIC, 10_000_000, True, 4096),
        (XFS_MAGIC, 76_800, True, 3840),
        (XFS_MAGIC, 10_000_000, True, 8192),
        (XFS_MAGIC, 10_000_000, False, 0),
        (0x9123683E, 10_000_000, True, 0),
    ],
)
def test_blocks_kept_back(magic: int, blocks: int, read_only: bool, kept: int) -> None:  # noqa: FBT001 -- a parameter
    assert kept_back_blocks(magic, blocks, read_only=read_only) == kept


def test_a_real_directory_has_room(tmp_path: Path) -> None:
    descriptor = os.open(tmp_path, os.O_RDONLY)
    try:
        room = room_in(descriptor)
        figures = os.fstatvfs(descriptor)
    finally:
        os.close(descriptor)
    assert room.device == tmp_path.stat().st_dev
    assert 0 < room.free_bytes <= figures.f_bfree * figures.f_frsize

"""UUIDs out of a GPT, whatever its header claims."""

import struct
import uuid
from collections.abc import Callable

import pytest

from bootrescue.devices.gpt import partition_uuids

SECTOR = 512
FIRST = uuid.UUID("f439a9e7-4245-8a44-a587-664ec3056cea")


def header(start: int = 2, count: int = 4, size: int = 128) -> bytes:
    return b"EFI PART".ljust(72, b"\0") + struct.pack("<QII", start, count, size) + bytes(4)


def disk(first: bytes, last: bytes = b"") -> Callable[[int, int], bytes]:
    entry = bytes(16) + FIRST.bytes_le + bytes(96)
    content = bytearray(10 * SECTOR)
    content[SECTOR : SECTOR + len(first)] = first
    content[2 * SECTOR : 2 * SECTOR + 128] = entry
    content[9 * SECTOR : 9 * SECTOR + len(last)] = last
    return lambda offset, size: bytes(content[offset : offset + size])


def test_the_first_header_tells() -> None:
    assert partition_uuids(disk(header()), SECTOR, 10) == {1: str(FIRST)}


def test_the_last_sector_tells_when_the_first_is_damaged() -> None:
    assert partition_uuids(disk(b"", header()), SECTOR, 10) == {1: str(FIRST)}


@pytest.mark.parametrize(
    "claim", [header(size=0), header(size=4), header(count=2**32 - 1), header(start=2**63), header()[:20], b""]
)
def test_a_hostile_header_tells_nothing(claim: bytes) -> None:
    assert partition_uuids(disk(claim), SECTOR, 10) == {}

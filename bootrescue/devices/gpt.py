"""The UUIDs of GPT partitions, which pyparted does not give (UEFI Specification 2.10, section 5.3)."""

import struct
import uuid
from collections.abc import Callable, Mapping
from typing import Final

SIGNATURE: Final = b"EFI PART"
# from offset 72: first block of the entries, their count, the size of each
ENTRY_TABLE: Final = struct.Struct("<QII")
ENTRY_TABLE_OFFSET: Final = 72
UNIQUE_GUID: Final = slice(16, 32)
HEADER_BYTES: Final = 92
SMALLEST_ENTRY_BYTES: Final = 128
# 128 entries of 128 bytes are usual; a table of more than this was made to hurt
LARGEST_TABLE_BYTES: Final = 1 << 20


def partition_uuids(read: Callable[[int, int], bytes], sector_bytes: int, disk_sectors: int) -> Mapping[int, str]:
    """The UUID of each partition by its number, from the first header or, where that is damaged, the last sector's.

    `read(offset, size)` gives bytes of the disk; what cannot be read is short.
    """
    for header_sector in (1, disk_sectors - 1):
        header = read(header_sector * sector_bytes, HEADER_BYTES)
        if header.startswith(SIGNATURE) and len(header) == HEADER_BYTES:
            start, count, size = ENTRY_TABLE.unpack_from(header, ENTRY_TABLE_OFFSET)
            if size >= SMALLEST_ENTRY_BYTES and count * size <= LARGEST_TABLE_BYTES:
                return _uuids(read(start * sector_bytes, count * size), size)
    return {}


def _uuids(table: bytes, size: int) -> Mapping[int, str]:
    entries = (table[start : start + size] for start in range(0, len(table) - size + 1, size))
    return {
        number: str(uuid.UUID(bytes_le=entry[UNIQUE_GUID]))
        for number, entry in enumerate(entries, start=1)
        if any(entry[UNIQUE_GUID])
    }

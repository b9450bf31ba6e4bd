"""The section table of an ELF file of either width and byte order, read without trusting a number in it.

Source: the ELF specification (gABI 4.1), figures 4-3 and 4-8.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from bootrescue.errors import BadInputError

ELF_MAGIC = b"\x7fELF"
RELOCATABLE = 1
"""e_type of an object file, ET_REL; every kernel module is one."""

SECTION_NULL = 0
SECTION_SYMBOLS = 2
SECTION_STRINGS = 3
SECTION_NO_BITS = 8
FLAG_ALLOC = 2

_CLASS_32 = 1
_CLASS_64 = 2
_LITTLE_ENDIAN = 1
_BIG_ENDIAN = 2
_IDENT_SIZE_BYTES = 16


class NotElfError(BadInputError):
    """The bytes are no ELF file, or its header is cut."""


class SectionTableError(BadInputError):
    """The section table or a section lies outside the file."""


class Section(NamedTuple):
    """One entry of the section table; offset and size in bytes. A tuple, since thousands of modules have fifty each."""

    name: bytes
    type: int
    flags: int
    offset: int
    size_bytes: int
    link: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ElfFile:
    """What the header and the section table say.

    Attributes:
        type: e_type.
        machine: e_machine.
        bits: 32 or 64.
        byte_order: "<" or ">", as struct spells it.
        end: where the section table ends, which in a module is the end of the file but for a signature.
        sections: the table, with the first, empty section.
    """

    type: int
    machine: int
    bits: int
    byte_order: str
    end: int
    sections: tuple[Section, ...]

    def named(self, name: bytes) -> Iterator[Section]:
        """Find all sections of this name."""
        return (section for section in self.sections if section.name == name and section.type != SECTION_NULL)


def parse_elf(data: bytes | memoryview) -> ElfFile:
    """Read header and section table.

    Raises:
        NotElfError: it is no ELF file, or shorter than its header.
        SectionTableError: a number points outside the file.
    """
    bits, order = _width_and_order(bytes(data[:_IDENT_SIZE_BYTES]))
    header = struct.Struct(f"{order}HHI{'QQQ' if bits == 64 else 'III'}IHHHHHH")  # noqa: PLR2004
    if len(data) < _IDENT_SIZE_BYTES + header.size:
        raise NotElfError("the ELF header is cut")
    kind, machine, _, _, _, table_at, _, _, _, _, entry_size, count, names_index = header.unpack_from(
        data, _IDENT_SIZE_BYTES
    )
    layout = struct.Struct(f"{order}IIQQQQIIQQ" if bits == 64 else f"{order}10I")  # noqa: PLR2004
    if entry_size != layout.size:
        raise SectionTableError("Invalid ELF section header size")
    end = table_at + count * layout.size
    if table_at >= len(data) or end > len(data):
        raise SectionTableError("Invalid ELF section header overflow")
    rows = list(layout.iter_unpack(data[table_at:end]))
    names = _names(data, rows, names_index)
    sections = tuple(_section(row, names) for row in rows)
    return ElfFile(type=kind, machine=machine, bits=bits, byte_order=order, end=end, sections=sections)


def _section(row: tuple[int, ...], names: bytes) -> Section:
    start = row[0]
    name = names[start : names.find(b"\0", start)] if start < len(names) else b""
    return Section(name, row[1], row[2], row[4], row[5], row[6])


def _width_and_order(ident: bytes) -> tuple[int, str]:
    if ident[:4] != ELF_MAGIC or len(ident) < _IDENT_SIZE_BYTES:
        raise NotElfError("it has no ELF magic")
    if ident[4] not in {_CLASS_32, _CLASS_64} or ident[5] not in {_LITTLE_ENDIAN, _BIG_ENDIAN}:
        raise NotElfError("its ELF class or byte order is unknown")
    return (64 if ident[4] == _CLASS_64 else 32), ("<" if ident[5] == _LITTLE_ENDIAN else ">")


def _names(data: bytes | memoryview, rows: list[tuple[int, ...]], index: int) -> bytes:
    """Return the section name table, checked as elf_validity_cache_secstrings() does (kernel/module/main.c, 6.12)."""
    for number, row in enumerate(rows):
        if number and row[1] not in {SECTION_NULL, SECTION_NO_BITS} and row[4] + row[5] > len(data):
            raise SectionTableError(f"Invalid ELF section in module (section {number} type {row[1]})")
    if not 0 < index < len(rows):
        raise SectionTableError(
            f"Invalid ELF section name index: {index} || e_shstrndx ({index}) >= e_shnum ({len(rows)})"
        )
    names = bytes(data[rows[index][4] : rows[index][4] + rows[index][5]])
    if not names:
        raise SectionTableError("empty section name table")
    if names[-1]:
        raise SectionTableError("ELF Spec violation: section name table isn't null terminated")
    return names

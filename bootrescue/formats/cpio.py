"""newc and crc archives: their headers and entries, read as the kernel reads them, and written.

Sources: Documentation/driver-api/early-userspace/buffer-format.rst and init/initramfs.c, Linux 6.12. All sizes and
offsets are bytes. Names stay bytes, because nothing says that they are text.
"""

import binascii
import struct
from dataclasses import dataclass
from enum import StrEnum

HEADER_SIZE_BYTES = 110
"""Magic of six characters and thirteen fields of eight hexadecimal digits."""

NAME_LIMIT_BYTES = 4096
"""PATH_MAX: init/initramfs.c do_header() skips an entry with a longer name, and a symbolic link with a longer body."""

TRAILER_NAME = b"TRAILER!!!"
"""Ends an archive, not the image; the kernel forgets its table of hard links at it."""

MAGIC_NEWC = b"070701"
MAGIC_CRC = b"070702"
MAGIC_ODC = b"070707"

TYPE_MASK = 0o170000
TYPE_LINK = 0o120000
TYPE_REGULAR = 0o100000
TYPE_DIRECTORY = 0o040000

_FIELDS = struct.Struct(">13I")
_HEX_DIGITS = b"0123456789abcdefABCDEF"


class CpioFormat(StrEnum):
    """The two header formats that the kernel reads."""

    NEWC = "newc"
    CRC = "crc"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of an archive, as its header says it.

    Attributes:
        name: the path as it is stored, up to the first NUL.
        mode: file type and permissions, as in stat(2).
        uid, gid, nlink, mtime: as in stat(2); mtime in seconds since 1970.
        size_bytes: length of the body; for a symbolic link, of its target.
        ino, dev_major, dev_minor: what hard links are recognised by.
        rdev_major, rdev_minor: the device that a device node stands for.
        link_target: where a symbolic link points, else empty.
        header_offset: where its header begins in the unpacked bytes of its segment.
        data_offset: where its body begins in the unpacked bytes of its segment.
        segment: index of its segment in the image.
        archive: how many trailers stand before it in the image; a hard link does not cross a trailer.
        unpacked: the kernel comes to this entry and does not skip it.
    """

    name: bytes
    mode: int
    uid: int
    gid: int
    nlink: int
    mtime: int
    size_bytes: int
    ino: int
    dev_major: int
    dev_minor: int
    rdev_major: int
    rdev_minor: int
    link_target: bytes
    header_offset: int
    data_offset: int
    segment: int
    archive: int
    unpacked: bool

    @property
    def is_regular(self) -> bool:
        """Whether it is a regular file."""
        return self.mode & TYPE_MASK == TYPE_REGULAR

    @property
    def is_directory(self) -> bool:
        """Whether it is a directory."""
        return self.mode & TYPE_MASK == TYPE_DIRECTORY

    @property
    def is_link(self) -> bool:
        """Whether it is a symbolic link."""
        return self.mode & TYPE_MASK == TYPE_LINK


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The numbers of one header, before its name is known."""

    ino: int
    mode: int
    uid: int
    gid: int
    nlink: int
    mtime: int
    size_bytes: int
    dev_major: int
    dev_minor: int
    rdev_major: int
    rdev_minor: int
    name_size_bytes: int
    checksum: int | None

    @property
    def stored_name_size_bytes(self) -> int:
        """Length of the name with its padding (N_ALIGN in init/initramfs.c)."""
        return ((self.name_size_bytes + 1) & ~3) + 2

    @property
    def is_link(self) -> bool:
        """Whether it is a symbolic link."""
        return self.mode & TYPE_MASK == TYPE_LINK


def has_magic(head: bytes) -> bool:
    """Whether these bytes begin with a header that the kernel reads."""
    return head[:6] in {MAGIC_NEWC, MAGIC_CRC}


def parse_header(header: bytes) -> Header:
    """Read a header of 110 bytes whose magic was checked; every field is taken as the kernel takes it."""
    try:
        fields = _FIELDS.unpack(binascii.unhexlify(header[6:HEADER_SIZE_BYTES]))
    except binascii.Error:
        fields = tuple(_lenient_number(header[at : at + 8]) for at in range(6, HEADER_SIZE_BYTES, 8))
    return Header(
        ino=fields[0],
        mode=fields[1] & 0xFFFF,  # umode_t
        uid=fields[2],
        gid=fields[3],
        nlink=fields[4],
        mtime=fields[5],
        size_bytes=fields[6],
        dev_major=fields[7],
        dev_minor=fields[8],
        rdev_major=fields[9],
        rdev_minor=fields[10],
        name_size_bytes=fields[11],
        checksum=fields[12] if header[:6] == MAGIC_CRC else None,
    )


def _lenient_number(field: bytes) -> int:
    """Read a field as simple_strtoul(field, NULL, 16) does (lib/vsprintf.c): what is no digit ends the number."""
    digits = field
    if digits[:2] in {b"0x", b"0X"} and digits[2:3] in _HEX_DIGITS:
        digits = digits[2:]
    length = len(digits) - len(digits.lstrip(_HEX_DIGITS))
    return int(digits[:length], 16) if length else 0


def render_entry(name: bytes, body: bytes, *, mode: int, mtime: int = 0, ino: int = 0) -> bytes:
    """Render one newc entry, owned by root; a following entry may be appended directly."""
    fields = (ino, mode, 0, 0, 1, mtime, len(body), 0, 0, 0, 0, len(name) + 1, 0)
    head = MAGIC_NEWC + b"".join(b"%08X" % number for number in fields) + name + b"\0"
    return _padded(head) + _padded(body)


def render_trailer() -> bytes:
    """Render the entry that ends an archive."""
    return render_entry(TRAILER_NAME, b"", mode=0)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)

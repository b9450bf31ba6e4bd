"""Headers read, entries written."""

import io

import pytest

from bootrescue.formats.cpio import has_magic, parse_header, render_entry, render_trailer
from bootrescue.formats.initramfs import read_image
from tests.image_builders import CpioFile, cpio_entry


def test_every_field_of_a_header() -> None:
    stored = b"070702" + b"".join(b"%08x" % number for number in (1, 0o100755, *range(3, 14)))
    header = parse_header(stored)
    assert (header.ino, header.mode, header.uid, header.gid, header.nlink) == (1, 0o100755, 3, 4, 5)
    assert (header.mtime, header.size_bytes, header.dev_major, header.dev_minor) == (6, 7, 8, 9)
    assert (header.rdev_major, header.rdev_minor, header.name_size_bytes, header.checksum) == (10, 11, 12, 13)


def test_newc_has_no_checksum() -> None:
    assert parse_header(cpio_entry(CpioFile(name=b"a", checksum=5))).checksum is None


@pytest.mark.parametrize(
    ("field", "number"),
    [
        (b"0x0000ab", 0xAB),
        (b"   000ab", 0),
        (b"12zz3456", 0x12),
        (b"zzzzzzzz", 0),
        (b"0xzz0000", 0),
        (b"-0000001", 0),
    ],
)
def test_fields_that_are_no_hexadecimal_digits(field: bytes, number: int) -> None:
    assert parse_header(b"070701" + field + b"0" * 96).ino == number


@pytest.mark.parametrize("name_size", range(1, 12))
def test_name_is_padded_so_that_the_body_is_aligned(name_size: int) -> None:
    header = parse_header(cpio_entry(CpioFile(name=b"n" * (name_size - 1))))
    assert (110 + header.stored_name_size_bytes) % 4 == 0
    assert 0 <= header.stored_name_size_bytes - name_size < 4


def test_magics() -> None:
    assert has_magic(b"070701...")
    assert has_magic(b"070702")
    assert not has_magic(b"070707")
    assert not has_magic(b"07070")


def test_rendered_entries_are_read_back() -> None:
    stored = render_entry(b"a/b", b"body", mode=0o100640, mtime=5, ino=9) + render_trailer()
    image = read_image(io.BytesIO(stored))
    (entry,) = image.entries
    assert image.complete
    assert (entry.name, entry.mode, entry.mtime, entry.ino, entry.size_bytes) == (b"a/b", 0o100640, 5, 9, 4)
    assert stored[entry.data_offset : entry.data_offset + 4] == b"body"
    assert entry.is_regular
    assert not entry.is_link
    assert not entry.is_directory

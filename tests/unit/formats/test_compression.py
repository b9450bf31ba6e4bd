"""Whole objects packed and unpacked, and the magics of the kernel."""

import bz2
import lzma
import zlib

import pytest
import zstandard

from bootrescue.errors import BadInputError
from bootrescue.formats.compression import Codec, compress, decompress, identify_codec
from tests.image_builders import PACKERS, xz_packed, zstd_packed

TEXT = b"a module, say " * 1000


@pytest.mark.parametrize(
    ("head", "codec"),
    [
        (b"\x1f\x8b\x08", Codec.GZIP),
        (b"\x1f\x9e", Codec.GZIP),
        (b"BZh9", Codec.BZIP2),
        (b"\x5d\x00\x00", Codec.LZMA),
        (b"\xfd7zXZ\0", Codec.XZ),
        (b"\x89LZO", Codec.LZO),
        (b"\x02\x21\x4c\x18", Codec.LZ4),
        (b"\x04\x22\x4d\x18", Codec.UNKNOWN),
        (b"\x28\xb5\x2f\xfd", Codec.ZSTD),
        (b"\x50\x2a\x4d\x18", Codec.UNKNOWN),
        (b"070701", Codec.NONE),
        (b"070702", Codec.NONE),
        (b"070709", Codec.UNKNOWN),
        (b"", Codec.UNKNOWN),
        (b"\x1f", Codec.UNKNOWN),
    ],
)
def test_magics_of_the_kernel(head: bytes, codec: Codec) -> None:
    assert identify_codec(head) is codec


@pytest.mark.parametrize("codec", [name for name in PACKERS if name != "none"])
def test_unpack_what_others_packed(codec: str) -> None:
    stored = PACKERS[codec](TEXT)
    assert decompress(stored, limit_bytes=len(TEXT)) == TEXT
    with pytest.raises(BadInputError, match="more than"):
        decompress(stored, limit_bytes=len(TEXT) - 1)
    with pytest.raises(BadInputError):
        decompress(stored[: len(stored) // 2], limit_bytes=1 << 20)


def test_data_without_magic_comes_back() -> None:
    assert decompress(b"\x7fELF", limit_bytes=0) == b"\x7fELF"


def test_lzo_has_no_decoder() -> None:
    with pytest.raises(BadInputError, match="lzo"):
        decompress(b"\x89LZO\0", limit_bytes=100)


def test_gzip_with_wrong_checksum_is_damaged() -> None:
    stored = bytearray(PACKERS["gzip"](TEXT))
    stored[-5] ^= 1
    with pytest.raises(BadInputError, match="checksum"):
        decompress(bytes(stored), limit_bytes=1 << 20)


def test_gzip_header_with_every_field() -> None:
    deflated = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = deflated.compress(TEXT) + deflated.flush()
    header = b"\x1f\x8b\x08\x1e" + bytes(6) + b"\x03\x00abc" + b"name\0" + b"comment\0" + b"hc"
    trailer = zlib.crc32(TEXT).to_bytes(4, "little") + len(TEXT).to_bytes(4, "little")
    assert decompress(header + body + trailer, limit_bytes=1 << 20) == TEXT


@pytest.mark.parametrize("options", [{"size": 10}, {"size": 300}, {"size": 70000}, {"size": -1}])
def test_zstd_frame_headers_of_every_size(options: dict[str, int]) -> None:
    text = bytes(range(256)) * 300
    text = text[: options["size"]] if options["size"] > 0 else text
    for packed in (zstd_packed(text), zstd_packed(text, checksum=False), _streamed_zstd(text)):
        assert decompress(packed + b"behind", limit_bytes=1 << 20) == text


def _streamed_zstd(text: bytes) -> bytes:
    packer = zstandard.ZstdCompressor(level=1).compressobj()
    return packer.compress(text) + packer.flush()


def test_xz_with_crc64_is_read() -> None:
    assert decompress(xz_packed(TEXT, lzma.CHECK_CRC64), limit_bytes=1 << 20) == TEXT


def test_packed_modules_suit_the_kernel() -> None:
    assert compress(TEXT, Codec.NONE) == TEXT
    assert zlib.decompress(compress(TEXT, Codec.GZIP), 31) == TEXT
    xz = compress(TEXT, Codec.XZ)
    assert xz[6:8] == b"\x00\x01", "the check is CRC32"
    assert lzma.decompress(xz) == TEXT
    assert zstandard.ZstdDecompressor().decompress(compress(TEXT, Codec.ZSTD)) == TEXT
    assert bz2.decompress(PACKERS["bzip2"](TEXT)) == TEXT


@pytest.mark.parametrize("codec", [Codec.LZO, Codec.LZ4, Codec.BZIP2, Codec.UNKNOWN])
def test_what_nothing_writes(codec: Codec) -> None:
    with pytest.raises(ValueError, match="nothing here writes"):
        compress(TEXT, codec)

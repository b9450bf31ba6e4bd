"""Codecs: told apart by magic, whole small objects unpacked and packed; members.py streams the large ones.

Source of the magics: lib/decompress.c, Linux 6.12. Two bytes decide there, so two bytes decide here.
"""

import io
from enum import StrEnum

from bootrescue.errors import BadInputError


class Codec(StrEnum):
    """How bytes are stored."""

    NONE = "none"
    GZIP = "gzip"
    BZIP2 = "bzip2"
    LZMA = "lzma"
    XZ = "xz"
    LZO = "lzo"
    LZ4 = "lz4"
    ZSTD = "zstd"
    UNKNOWN = "unknown"


_MAGICS = {
    b"\x1f\x8b": Codec.GZIP,
    b"\x1f\x9e": Codec.GZIP,  # in the kernel's table, though its gunzip then refuses it
    b"BZ": Codec.BZIP2,
    b"\x5d\x00": Codec.LZMA,
    b"\xfd7": Codec.XZ,
    b"\x89L": Codec.LZO,
    b"\x02\x21": Codec.LZ4,  # the legacy frame 0x184C2102; no kernel reads the modern frame 0x184D2204
    b"\x28\xb5": Codec.ZSTD,
}

_CPIO_MAGICS = {b"070701", b"070702", b"070707"}

_PIECE_BYTES = 64 * 1024


def identify_codec(head: bytes) -> Codec:
    """Tell the codec from the first bytes: NONE for a cpio archive, UNKNOWN for what the kernel does not know."""
    if head[:6] in _CPIO_MAGICS:
        return Codec.NONE
    return _MAGICS.get(head[:2], Codec.UNKNOWN)


def decompress(data: bytes, *, limit_bytes: int) -> bytes:
    """Unpack a whole object, such as a module; data without a known magic is returned as it is.

    Raises:
        BadInputError: it is damaged, or unpacks to more than limit_bytes, or no decoder is at hand.
    """
    from bootrescue.formats.members import DECODERS, Report  # noqa: PLC0415  (members imports this module)
    from bootrescue.formats.stored_stream import StoredStream  # noqa: PLC0415

    codec = identify_codec(data)
    if codec in {Codec.NONE, Codec.UNKNOWN}:
        return data
    decode = DECODERS.get(codec)
    if decode is None:
        raise BadInputError(f"there is no decoder for {codec}")
    pieces = []
    size = 0
    report = Report()
    for piece in decode(StoredStream(io.BytesIO(data)), report):
        size += len(piece)
        if size > limit_bytes:
            raise BadInputError(f"it unpacks to more than {limit_bytes} bytes")
        pieces.append(bytes(piece))
    if report.damaged:
        raise BadInputError(report.problem)
    return b"".join(pieces)


def compress(data: bytes, codec: Codec) -> bytes:
    """Pack a whole object so that the kernel's own module decompressor accepts it (kernel/module/decompress.c).

    Raises:
        ValueError: nothing here writes this codec.
    """
    match codec:
        case Codec.NONE:
            return data
        case Codec.GZIP:
            return _compress_gzip(data)
        case Codec.XZ:
            return _compress_xz(data)
        case Codec.ZSTD:
            import zstandard  # noqa: PLC0415

            return zstandard.ZstdCompressor(level=19, write_checksum=True).compress(data)
        case _:
            raise ValueError(f"nothing here writes {codec}")


def _compress_gzip(data: bytes) -> bytes:
    import zlib  # noqa: PLC0415

    packer = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


def _compress_xz(data: bytes) -> bytes:
    """One block, CRC32, a dictionary of 1 MiB: what scripts/Makefile.modinst uses, and XZ_DEC without CRC64 reads."""
    import lzma  # noqa: PLC0415

    filters = [{"id": lzma.FILTER_LZMA2, "preset": 6, "dict_size": 1 << 20}]
    return lzma.compress(data, format=lzma.FORMAT_XZ, check=lzma.CHECK_CRC32, filters=filters)

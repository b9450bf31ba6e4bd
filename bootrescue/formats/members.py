"""Compressed members of an image, decoded in bounded pieces from where they begin to exactly where they end.

A decoder is a generator: it takes stored bytes from a stream, yields unpacked pieces (each valid until the next is
asked for) and leaves the stream at the first byte behind the member. It raises DamagedMemberError where the
member's end cannot be found. The kernel's messages are those of lib/decompress_*.c, Linux 6.12.
"""

import struct
from collections.abc import Callable, Iterator

from bootrescue.errors import BadInputError
from bootrescue.formats.compression import Codec
from bootrescue.formats.stored_stream import CHUNK_SIZE_BYTES, StoredStream

TYPE_CHECKING = False  # typing itself would cost a tenth of the start-up time
if TYPE_CHECKING:
    import bz2
    import lzma

Decoder = Callable[["StoredStream", "Report"], Iterator[bytes | memoryview]]

OUTPUT_SIZE_BYTES = 256 * 1024
"""Most unpacked bytes that a piece has, lz4 apart: it fits into a second-level cache."""

INPUT_SIZE_BYTES = 64 * 1024
"""Most stored bytes that are fed at once."""

WINDOW_LIMIT_BYTES = 1 << 27
"""The kernel's zstd refuses a larger window (measured on 6.12: --long=27 boots, --long=28 does not)."""

MEMORY_LIMIT_BYTES = 1 << 28
"""What liblzma may use: a dictionary four times the largest that xz -9 makes."""

LZ4_BLOCK_BYTES = 8 << 20
"""LZ4_DEFAULT_UNCOMPRESSED_CHUNK_SIZE in lib/decompress_unlz4.c."""

LZ4_MAGIC = b"\x02\x21\x4c\x18"
_LZ4_STORED_LIMIT_BYTES = LZ4_BLOCK_BYTES + LZ4_BLOCK_BYTES // 255 + 16
"""LZ4_COMPRESSBOUND in include/linux/lz4.h."""

_GZIP_FLAG_HEADER_CRC = 0x02
_GZIP_FLAG_EXTRA = 0x04
_GZIP_FLAG_NAME = 0x08
_GZIP_FLAG_COMMENT = 0x10

_XZ_CHECK_NONE = 0
_XZ_CHECK_CRC32 = 1
_XZ_FILTER_LZMA2 = 0x21
_XZ_FILTER_X86 = 0x04


class Report:
    """What a decoder learned besides the bytes.

    Attributes:
        checksummed: a checksum over the unpacked bytes was there, and was right.
        damaged: bytes of it are not those that were packed.
        problem: what is wrong though the member could be read to its end; empty when nothing is.
        kernel_message: what the kernel says about it; empty when it accepts the member.
        refused: the kernel gives up before the first unpacked byte.
        told: the reader has passed the refusal on.
    """

    __slots__ = ("checksummed", "damaged", "kernel_message", "problem", "refused", "told")

    def __init__(self) -> None:
        self.checksummed = False
        self.damaged = False
        self.problem = ""
        self.kernel_message = ""
        self.refused = False
        self.told = False

    def refuse(self, problem: str, kernel_message: str) -> None:
        """Note that the kernel reads nothing of this member."""
        self.problem = self.problem or problem
        self.kernel_message = self.kernel_message or kernel_message
        self.refused = True


class DamagedMemberError(BadInputError):
    """A member breaks off or makes no sense, and nobody can say where it ends.

    Attributes:
        kernel_message: what the kernel says about it.
    """

    def __init__(self, what: str, kernel_message: str) -> None:
        super().__init__(what)
        self.kernel_message = kernel_message


def _decode_gzip(source: StoredStream, report: Report) -> Iterator[bytes | memoryview]:
    """RFC 1952, one member. The kernel skips no header field but the name, and never looks at the trailer."""
    from isal import igzip_lib  # noqa: PLC0415

    isal_error: type[Exception] = igzip_lib.IsalError  # type: ignore[assignment]  # its stub says value, not type
    _skip_gzip_header(source, report)
    inflater = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP_NO_HDR)
    size = 0
    while not inflater.eof:
        stored: bytes | memoryview = b""
        if inflater.needs_input and not (stored := source.take(INPUT_SIZE_BYTES)):
            raise DamagedMemberError("the gzip data is cut", "read error")
        try:
            piece = inflater.decompress(stored, OUTPUT_SIZE_BYTES)
        except isal_error as error:
            raise DamagedMemberError("the gzip data is damaged", "uncompression error") from error
        size += len(piece)
        if piece:
            yield piece
    source.unread(len(inflater.unused_data))
    trailer = source.exactly(8)
    if len(trailer) < 8:  # noqa: PLR2004  (CRC32 and length, RFC 1952)
        # The kernel skips these 8 bytes unread, so it goes on behind the end; a 6.1 kernel oopsed there.
        problem = "the gzip data is cut in its last 8 bytes; the kernel reads on behind the image and may crash"
        raise DamagedMemberError(problem, "invalid magic at start of compressed archive")
    if trailer == struct.pack("<II", inflater.crc, size & 0xFFFFFFFF):
        report.checksummed = True
    else:
        report.damaged = True
        report.problem = "the gzip checksum is wrong, and the kernel does not notice"


def _skip_gzip_header(source: StoredStream, report: Report) -> None:
    header = source.exactly(10)
    if len(header) < 10 or header[:3] != b"\x1f\x8b\x08":  # noqa: PLR2004  (RFC 1952)
        raise DamagedMemberError("the gzip header is not valid", "Not a gzip file")
    flags = header[3]
    if flags & (_GZIP_FLAG_EXTRA | _GZIP_FLAG_COMMENT | _GZIP_FLAG_HEADER_CRC):
        report.refuse("the gzip header has fields that the kernel does not skip", "uncompression error")
    if flags & _GZIP_FLAG_EXTRA:
        length = int.from_bytes(source.exactly(2), "little")
        source.exactly(length)
    for flag in (_GZIP_FLAG_NAME, _GZIP_FLAG_COMMENT):
        if flags & flag:
            _skip_string(source)
    if flags & _GZIP_FLAG_HEADER_CRC:
        source.exactly(2)


def _skip_string(source: StoredStream) -> None:
    while piece := source.take(256):
        end = piece.tobytes().find(0)
        if end >= 0:
            source.unread(len(piece) - end - 1)
            return
    raise DamagedMemberError("the gzip header is cut", "header error")


def _decode_bzip2(source: StoredStream, report: Report) -> Iterator[bytes | memoryview]:
    import bz2  # noqa: PLC0415

    wrong_sum = "Data integrity error when decompressing."  # seen for a flipped bit in the body
    yield from _drive(bz2.BZ2Decompressor(), source, "bzip2", ("decompressor failed", wrong_sum))
    report.checksummed = True  # each block and the stream carry a CRC32, which libbz2 checks


def _decode_lzma(source: StoredStream, report: Report) -> Iterator[bytes | memoryview]:
    import lzma  # noqa: PLC0415

    decoder = lzma.LZMADecompressor(format=lzma.FORMAT_ALONE, memlimit=MEMORY_LIMIT_BYTES)
    yield from _drive(decoder, source, "lzma", ("unexpected EOF", "decompressor failed"), lzma.LZMAError)
    report.checksummed = False  # the format has none


def _decode_xz(source: StoredStream, report: Report) -> Iterator[bytes | memoryview]:
    """One stream of tukaani.org's .xz format 1.2.0."""
    import lzma  # noqa: PLC0415

    check = _examine_xz(source.peek(64), report)
    decoder = lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=MEMORY_LIMIT_BYTES)
    corrupt = "XZ-compressed data is corrupt"
    yield from _drive(decoder, source, "xz", (corrupt, corrupt), lzma.LZMAError)
    report.checksummed = check != _XZ_CHECK_NONE


def _examine_xz(head: bytes, report: Report) -> int:
    """Look for what the kernel's decoder does not know (lib/xz/xz_dec_stream.c); return the check's id."""
    unsupported = "Input was encoded with settings that are not supported by this XZ decoder"
    check = head[7] if len(head) > 7 else _XZ_CHECK_NONE  # noqa: PLR2004  (second byte of the stream flags)
    if check not in {_XZ_CHECK_NONE, _XZ_CHECK_CRC32}:
        report.refuse("the xz data has a check that the kernel does not know; it wants CRC32", unsupported)
    if len(head) > 15 and head[12]:  # noqa: PLR2004  (block header: size, flags, sizes, filters)
        at = 14
        for present in (head[13] & 0x40, head[13] & 0x80):
            if present:
                at = _skip_variable_number(head, at)
        if at < len(head) and head[at] not in {_XZ_FILTER_LZMA2, _XZ_FILTER_X86}:
            report.refuse("the xz data has a filter that a kernel for x86 does not know", unsupported)
    return check


def _skip_variable_number(head: bytes, at: int) -> int:
    while at < len(head) and head[at] & 0x80:
        at += 1
    return at + 1


def _drive(
    decoder: "bz2.BZ2Decompressor | lzma.LZMADecompressor",
    source: StoredStream,
    name: str,
    messages: tuple[str, str],
    error_type: type[Exception] = OSError,
) -> Iterator[bytes]:
    """Run a decompressor of the standard library over one member; `messages` are the kernel's for cut and damaged."""
    cut, corrupt = messages
    while not decoder.eof:
        stored: bytes | memoryview = b""
        if decoder.needs_input and not (stored := source.take(INPUT_SIZE_BYTES)):
            raise DamagedMemberError(f"the {name} data is cut", cut)
        try:
            piece = decoder.decompress(stored, OUTPUT_SIZE_BYTES)
        except error_type as error:
            raise DamagedMemberError(f"the {name} data is damaged", corrupt) from error
        if piece:
            yield piece
    source.unread(len(decoder.unused_data))


def _decode_lz4(source: StoredStream, report: Report) -> Iterator[bytes | memoryview]:
    """The legacy frame: magic, then blocks of a length (u32le) and data. It has no end mark and no checksum."""
    import cramjam  # noqa: PLC0415

    if source.exactly(4) != LZ4_MAGIC:
        raise DamagedMemberError("the lz4 header is not valid", "invalid header")
    unpacked = bytearray(LZ4_BLOCK_BYTES)
    view = memoryview(unpacked)
    while len(word := source.peek(4)) == 4:  # noqa: PLR2004  (a length; fewer bytes are the end)
        length = int.from_bytes(word, "little")
        if length == 0:
            return
        source.take(4)
        if word == LZ4_MAGIC:
            continue
        if length > _LZ4_STORED_LIMIT_BYTES:
            source.unread(4)
            report.problem = "no NULs part the lz4 data from what follows"
            report.kernel_message = "Decoding failed"
            return
        stored = source.collect(length)
        if len(stored) < length:
            raise DamagedMemberError("the lz4 data is cut", "Decoding failed")
        try:
            size = cramjam.lz4.decompress_block_into(stored, unpacked)
        except cramjam.DecompressionError as error:
            raise DamagedMemberError("the lz4 data is damaged", "Decoding failed") from error
        yield view[:size]


class _ZstdFrame:
    """The stored bytes of one frame, handed to a decoder that would read beyond its end (RFC 8878, section 3.1.1)."""

    def __init__(self, source: StoredStream) -> None:
        self._source = source
        self._left = 0
        self._last = False
        self.checksummed = False
        self.window_size_bytes = 0
        self.whole = False
        self._open(source.peek(18))

    def _open(self, head: bytes) -> None:
        descriptor = head[4] if len(head) > 4 else 0  # noqa: PLR2004  (after the magic)
        single = bool(descriptor & 0x20)
        self.checksummed = bool(descriptor & 0x04)
        window_size = 0 if single else 1
        dictionary_size = (0, 1, 2, 4)[descriptor & 3]
        content_size = (int(single), 2, 4, 8)[descriptor >> 6]
        header_size = 5 + window_size + dictionary_size + content_size
        if len(head) < header_size:
            raise DamagedMemberError("the zstd header is cut", "ZSTD-compressed data has an incomplete frame header")
        if single:
            content = head[header_size - content_size : header_size]
            self.window_size_bytes = int.from_bytes(content, "little") + (256 if content_size == 2 else 0)  # noqa: PLR2004
        else:
            base = 1 << (10 + (head[5] >> 3))
            self.window_size_bytes = base + (base >> 3) * (head[5] & 7)
        self._left = header_size

    def read(self, size: int) -> bytes | memoryview:
        """Return the next stored bytes of the frame, none at its end."""
        if self.whole:
            return b""
        if not self._left:
            self._source.peek(3)
        piece = self._source.take(size)
        position = self._left
        while not self._last and position + 3 <= len(piece):
            word = int.from_bytes(piece[position : position + 3], "little")
            position += 3 + (1 if (word >> 1) & 3 == 1 else word >> 3)  # a block of type 1 stores one byte
            if word & 1:
                self._last = True
                position += 4 if self.checksummed else 0
        end = min(position, len(piece))
        self._source.unread(len(piece) - end)
        self._left = position - end
        self.whole = self._last and not self._left
        return piece[:end]


def _decode_zstd(source: StoredStream, report: Report) -> Iterator[bytes | memoryview]:
    import zstandard  # noqa: PLC0415

    frame = _ZstdFrame(source)
    if frame.window_size_bytes > WINDOW_LIMIT_BYTES:
        raise DamagedMemberError(
            f"the zstd window of {frame.window_size_bytes} bytes is larger than the kernel allows",
            "ZSTD-compressed data has too large a window size",
        )
    decoder = zstandard.ZstdDecompressor(max_window_size=WINDOW_LIMIT_BYTES)
    unpacked = bytearray(OUTPUT_SIZE_BYTES)
    view = memoryview(unpacked)
    with decoder.stream_reader(frame, read_size=CHUNK_SIZE_BYTES, closefd=False) as reader:  # type: ignore[arg-type]  # it only reads
        while True:
            try:
                size = reader.readinto(unpacked)
            except zstandard.ZstdError as error:
                raise DamagedMemberError("the zstd data is damaged", "ZSTD-compressed data is corrupt") from error
            if not size:
                break
            yield view[:size]
    if not frame.whole:
        raise DamagedMemberError("the zstd data is cut", "ZSTD-compressed data is truncated")
    report.checksummed = frame.checksummed


DECODERS: dict[Codec, Decoder] = {
    Codec.GZIP: _decode_gzip,
    Codec.BZIP2: _decode_bzip2,
    Codec.LZMA: _decode_lzma,
    Codec.XZ: _decode_xz,
    Codec.LZ4: _decode_lz4,
    Codec.ZSTD: _decode_zstd,
}

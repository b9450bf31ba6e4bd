"""Walks the entries of cpio archives that arrive in pieces, state by state as init/initramfs.c of Linux 6.12 does."""

import zlib
from collections.abc import Callable

from bootrescue.formats.cpio import (
    HEADER_SIZE_BYTES,
    MAGIC_ODC,
    NAME_LIMIT_BYTES,
    TRAILER_NAME,
    TYPE_MASK,
    TYPE_REGULAR,
    Header,
    has_magic,
    parse_header,
)

_NUL_PROBE_BYTES = 512

_SUM_PIECE_BYTES = 256
"""So many bytes cannot add up to 65,521, where the sum inside of Adler-32 (RFC 1950) begins anew."""


class EntrySink:
    """What a walker tells about; the reader of an image overrides what it wants to know."""

    def add(self, header: Header, name: bytes, target: bytes, where: tuple[int, int], *, skipped: bool) -> bool:
        """Take an entry; `where` is its header's and its body's offset. Return whether its body is wanted."""
        raise NotImplementedError

    def body(self, payload: bytes) -> None:
        """Take the whole body of the entry that was added last."""
        raise NotImplementedError

    def trailer(self) -> None:
        """Learn that an archive ended."""
        raise NotImplementedError

    def fault(self, problem: str, kernel_message: str, *, broken: bool = True) -> None:
        """Learn what is wrong; the kernel says nothing, or all bytes are there nevertheless."""
        raise NotImplementedError


class ArchiveWalker:
    """A parser that is fed the unpacked bytes of one segment and remembers where it stands between two feeds.

    It mirrors the states of init/initramfs.c, so that its verdict is the kernel's. It holds at most one header, one
    name and one wanted body.
    """

    __slots__ = (
        "_awaited", "_body_left", "_collected", "_header", "_header_offset", "_name", "_padding_left", "_pending",
        "_raw", "_sink", "_step", "_sum", "_wanted", "ended_by_trailer", "offset", "stopped",
    )  # fmt: skip

    def __init__(self, sink: EntrySink, *, raw: bool, begins: bool = True) -> None:
        """Prepare to walk.

        Args:
            sink: is told what is found.
            raw: the segment is not compressed: stop after a trailer, and at the first byte that is no header.
            begins: the kernel has read no archive yet, and so expects a header at once (its state Start).
        """
        self._sink = sink
        self._raw = raw
        self._pending = bytearray()
        self._awaited = HEADER_SIZE_BYTES
        self._step: Callable[[memoryview, int], int] = self._read_header if begins else self._between
        self._header: Header | None = None
        self._header_offset = 0
        self._name = b""
        self._body_left = 0
        self._padding_left = 0
        self._wanted = False
        self._collected: bytearray | None = None
        self._sum: int | None = None
        self.ended_by_trailer = False
        self.offset = 0
        self.stopped = False

    @property
    def at_boundary(self) -> bool:
        """Whether all that was fed is whole entries (the kernel's state Reset)."""
        return self._step == self._between

    def feed(self, chunk: bytes | memoryview) -> int:
        """Walk on; return how many bytes were used, fewer than given only when the walker stopped."""
        view = memoryview(chunk)
        position = 0
        end = len(view)
        base = self.offset
        while position < end and not self.stopped:
            position = self._step(view, position)
            self.offset = base + position
        return position

    def finish(self) -> bool:
        """Say that nothing follows; return whether the last entry was whole."""
        if self.at_boundary or self.stopped:
            return True
        if self._step == self._skip and not self._body_left:
            problem = f"the padding after the entry at offset {self._header_offset} is cut"
        else:
            problem = f"the archive ends inside the entry at offset {self._header_offset}"
        self._sink.fault(problem, "" if self._raw else "junk at the end of compressed archive")
        return False

    def _between(self, view: memoryview, position: int) -> int:
        """Between two entries: skip NULs, expect a header (do_reset, flush_buffer)."""
        if view[position] == 0 and not self._raw:
            piece = view[position : position + _NUL_PROBE_BYTES].tobytes()
            return position + len(piece) - len(piece.lstrip(b"\0"))
        if self._raw:
            if view[position] != ord("0"):
                self.stopped = True
                return position
        elif (self.offset) & 3:
            return self._stop(position, f"an entry at offset {self.offset} is not aligned", "broken padding")
        elif view[position] != ord("0"):
            return self._stop(position, f"no entry begins at offset {self.offset}", "junk within compressed archive")
        self._step = self._read_header
        self._awaited = HEADER_SIZE_BYTES
        return position

    def _gather(self, view: memoryview, position: int) -> tuple[bytes | None, int]:
        """Collect the awaited number of bytes, perhaps over several feeds."""
        missing = self._awaited - len(self._pending)
        if len(view) - position < missing:
            self._pending += view[position:]
            return None, len(view)
        piece = view[position : position + missing].tobytes()
        if self._pending:
            piece = bytes(self._pending) + piece
            self._pending.clear()
        return piece, position + missing

    def _read_header(self, view: memoryview, position: int) -> int:
        if not self._pending:
            self._header_offset = self.offset
        raw, position = self._gather(view, position)
        if raw is None:
            return position
        if not has_magic(raw):
            message = "incorrect cpio method used: use -H newc option" if raw[:6] == MAGIC_ODC else "no cpio magic"
            return self._stop(position, f"no newc header at offset {self._header_offset}", message)
        header = self._header = parse_header(raw)
        self._awaited = header.stored_name_size_bytes
        self._sum = None
        if 0 < header.name_size_bytes <= NAME_LIMIT_BYTES:
            self._step = self._read_name
            return position
        self._sink.fault(f"the entry at offset {self._header_offset} has a name of {header.name_size_bytes} bytes", "")
        self._leave(self._awaited + header.size_bytes, HEADER_SIZE_BYTES + self._awaited + header.size_bytes)
        return position

    def _leave(self, length: int, entry_size: int) -> None:
        """Pass over a body of this length and the padding behind the entry."""
        self._body_left = length
        self._padding_left = -(self._header_offset + entry_size) % 4
        self._wanted = False
        self._collected = None
        self._step = self._skip
        self._close_if_done()

    def _read_name(self, view: memoryview, position: int) -> int:
        raw, position = self._gather(view, position)
        if raw is None:
            return position
        header = self._header
        if header is None:  # unreachable: a header leads here; said for the type checker
            return position
        if raw[header.name_size_bytes - 1] != 0:
            return self._stop(
                position, f"the name of the entry at offset {self._header_offset} has no end", "malformed archive"
            )
        self._name = raw[: raw.index(0)]
        self._open_body(header, HEADER_SIZE_BYTES + len(raw))
        return position

    def _open_body(self, header: Header, data_start: int) -> None:
        """Decide what to do with the body (do_header, do_name)."""
        self.ended_by_trailer = self._name == TRAILER_NAME
        self._leave(header.size_bytes, data_start + header.size_bytes)
        if self.ended_by_trailer:
            self._sink.trailer()
            return
        if header.is_link and header.size_bytes <= NAME_LIMIT_BYTES:
            self._collected = bytearray()
            self._step = self._read_body if header.size_bytes else self._skip
            if not header.size_bytes:
                self._end_body()
            return
        regular = header.mode & TYPE_MASK == TYPE_REGULAR
        self._wanted = self._tell(header, b"", skipped=not regular and header.size_bytes > 0)
        self._sum = header.checksum if regular else None
        if self._wanted:
            self._collected = bytearray()
        if self._wanted or self._sum is not None:
            self._step = self._read_body
            if not header.size_bytes:
                self._end_body()

    def _tell(self, header: Header, target: bytes, *, skipped: bool) -> bool:
        where = (self._header_offset, self._header_offset + HEADER_SIZE_BYTES + header.stored_name_size_bytes)
        return self._sink.add(header, self._name, target, where, skipped=skipped)

    def _read_body(self, view: memoryview, position: int) -> int:
        piece = view[position : position + self._body_left]
        if self._collected is not None:
            self._collected += piece
        if self._sum is not None:
            self._sum = (self._sum - _byte_sum(piece)) & 0xFFFFFFFF
        self._body_left -= len(piece)
        if not self._body_left:
            self._end_body()
        return position + len(piece)

    def _end_body(self) -> None:
        self._step = self._skip
        header = self._header
        if header is not None and header.is_link:
            self._tell(header, bytes(self._collected or b"").split(b"\0", 1)[0], skipped=False)
        elif self._wanted:
            self._sink.body(bytes(self._collected or b""))
        if self._sum:
            self._sink.fault(f"the checksum of the entry at offset {self._header_offset} is wrong", "bad data checksum")
        self._collected = None
        self._close_if_done()

    def _skip(self, view: memoryview, position: int) -> int:
        """Pass over body and padding by arithmetic (do_skip)."""
        left = len(view) - position
        body = min(left, self._body_left)
        padding = min(left - body, self._padding_left)
        self._body_left -= body
        self._padding_left -= padding
        self._close_if_done()
        return position + body + padding

    def _close_if_done(self) -> None:
        if self._step == self._skip and not self._body_left and not self._padding_left:
            self._step = self._between
            if self._raw and self.ended_by_trailer:
                self.stopped = True

    def _stop(self, position: int, problem: str, kernel_message: str) -> int:
        self._sink.fault(problem, kernel_message)
        self.stopped = True
        return position


def _byte_sum(data: memoryview) -> int:
    """Add up bytes, as the crc format wants it; twenty times as fast as sum()."""
    pieces = range(0, len(data), _SUM_PIECE_BYTES)
    return sum((zlib.adler32(data[at : at + _SUM_PIECE_BYTES]) & 0xFFFF) - 1 for at in pieces)

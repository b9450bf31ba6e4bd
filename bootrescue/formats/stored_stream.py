"""The stored bytes of an image, read once from front to back, hashed on the way, without a bootconfig at their end."""

import struct

TYPE_CHECKING = False  # typing itself would cost a tenth of the start-up time
if TYPE_CHECKING:
    from typing import BinaryIO

CHUNK_SIZE_BYTES = 128 * 1024
"""Larger chunks are not faster, and fresh memory beyond this costs page faults."""

BOOTCONFIG_MAGIC = b"#BOOTCONFIG\n"
"""Documentation/admin-guide/bootconfig.rst, Linux 6.12; before it the size and the sum of the data, both u32le."""

BOOTCONFIG_LIMIT_BYTES = 32 * 1024
"""XBC_DATA_MAX in include/linux/bootconfig.h is 32 KiB - 1."""

_BOOTCONFIG_SLACK_BYTES = 3
"""A loader may pad the image to 4: init/main.c get_boot_config_from_initrd() tries four positions."""

_BOOTCONFIG_NUMBERS = struct.Struct("<II")
_TAIL_BYTES = BOOTCONFIG_LIMIT_BYTES + _BOOTCONFIG_NUMBERS.size + len(BOOTCONFIG_MAGIC) + _BOOTCONFIG_SLACK_BYTES


class StoredStream:
    """A buffered reader that knows its position, can look ahead and can give unused bytes back.

    It always holds back the last bytes until it knows that more follow: the kernel takes a bootconfig off the end
    before it unpacks, so no decoder may see it.
    """

    __slots__ = (
        "_buffer",
        "_digest",
        "_index",
        "_next",
        "_stream",
        "_taken_off",
        "bootconfig_size_bytes",
        "size_bytes",
    )

    def __init__(self, stream: "BinaryIO", *, digest: "Digest | None" = None) -> None:
        self._stream = stream
        self._digest = digest
        self._buffer = b""
        self._index = 0
        self._taken_off = 0
        self.size_bytes = 0
        self.bootconfig_size_bytes = 0
        self._next = self._read_chunk()
        self._pull()

    @property
    def position(self) -> int:
        """Offset of the next byte."""
        return self._taken_off + self._index

    @property
    def at_end(self) -> bool:
        """Whether every byte (but a bootconfig) was taken."""
        if self._index == len(self._buffer) and self._next:
            self._pull()
        return self._index == len(self._buffer)

    def peek(self, size: int) -> bytes:
        """Return the next `size` bytes without taking them, fewer only at the end; `size` is at most a chunk."""
        while len(self._buffer) - self._index < size and self._next:
            self._pull()
        return self._buffer[self._index : self._index + size]

    def take(self, size: int) -> memoryview:
        """Take one to `size` bytes; none only at the end."""
        if self.at_end:
            return memoryview(b"")
        piece = memoryview(self._buffer)[self._index : self._index + size]
        self._index += len(piece)
        return piece

    def unread(self, size: int) -> None:
        """Give back the last `size` bytes of the piece that was taken last."""
        if size > self._index:
            raise ValueError("more bytes given back than were taken")
        self._index -= size

    def exactly(self, size: int) -> bytes:
        """Take `size` bytes, fewer only at the end."""
        return bytes(self.collect(size))

    def collect(self, size: int) -> bytearray:
        """Take `size` bytes, fewer only at the end; many bytes are held only once."""
        collected = bytearray()
        while len(collected) < size and (piece := self.take(size - len(collected))):
            collected += piece
        return collected

    def skip_nuls(self) -> int:
        """Take all NULs that come next; return how many there were."""
        count = 0
        while piece := self.take(4096).tobytes():
            rest = len(piece.lstrip(b"\0"))
            count += len(piece) - rest
            if rest:
                self.unread(rest)
                break
        return count

    def drain(self) -> int:
        """Take everything that is left; return how many bytes that were."""
        count = 0
        while piece := self.take(CHUNK_SIZE_BYTES):
            count += len(piece)
        return count

    def _pull(self) -> None:
        """Append the chunk that was read ahead, and read the one after it."""
        rest = self._buffer[self._index :]
        self._taken_off += self._index
        self._index = 0
        self._buffer = rest + self._next if rest else self._next
        self._next = self._read_chunk() if self._next else b""
        if self._next and len(self._next) < CHUNK_SIZE_BYTES and len(self._next) < _TAIL_BYTES:
            self._buffer += self._next
            self._next = b""
        if not self._next:
            self._buffer = self._without_bootconfig(self._buffer)
        elif len(self._next) < CHUNK_SIZE_BYTES:
            self._next = self._without_bootconfig(self._next)

    def _read_chunk(self) -> bytes:
        """Read a whole chunk; a shorter one says that the stream has ended."""
        chunk = self._stream.read(CHUNK_SIZE_BYTES)
        while 0 < len(chunk) < CHUNK_SIZE_BYTES:
            more = self._stream.read(CHUNK_SIZE_BYTES - len(chunk))
            if not more:
                break
            chunk += more
        self.size_bytes += len(chunk)
        if self._digest is not None:
            self._digest.update(chunk)
        return chunk

    def _without_bootconfig(self, tail: bytes) -> bytes:
        if self.bootconfig_size_bytes:
            return tail
        for slack in range(_BOOTCONFIG_SLACK_BYTES + 1):
            end = len(tail) - slack
            if tail[max(end - len(BOOTCONFIG_MAGIC), 0) : end] == BOOTCONFIG_MAGIC:
                return self._cut_bootconfig(tail, end - len(BOOTCONFIG_MAGIC) - _BOOTCONFIG_NUMBERS.size)
        return tail

    def _cut_bootconfig(self, tail: bytes, numbers_at: int) -> bytes:
        if numbers_at < 0:
            return tail
        size, checksum = _BOOTCONFIG_NUMBERS.unpack_from(tail, numbers_at)
        start = numbers_at - size
        if size > BOOTCONFIG_LIMIT_BYTES or start < 0 or sum(tail[start:numbers_at]) & 0xFFFFFFFF != checksum:
            return tail
        self.bootconfig_size_bytes = len(tail) - start
        return tail[:start]


class Digest:
    """SHA-256 in a second thread: it costs as much as unpacking, and both let go of the interpreter."""

    __slots__ = ("_chunks", "_hash", "_thread")

    def __init__(self) -> None:
        import hashlib  # noqa: PLC0415  (its import is paid only where a digest is asked for)
        import queue  # noqa: PLC0415
        import threading  # noqa: PLC0415

        self._hash = hashlib.sha256()
        self._chunks: queue.Queue[bytes] = queue.Queue(maxsize=16)  # bounds memory when hashing is the slower half
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def update(self, chunk: bytes) -> None:
        """Hash these bytes too; an empty chunk is none."""
        if chunk:
            self._chunks.put(chunk)

    def hexdigest(self) -> str:
        """Wait for the thread and return the digest in lower-case hexadecimal; call it once."""
        self._chunks.put(b"")
        self._thread.join()
        return self._hash.hexdigest()

    def _work(self) -> None:
        while chunk := self._chunks.get():
            self._hash.update(chunk)

"""One pass over an initramfs image, segment by segment, as init/initramfs.c of Linux 6.12 goes over it.

The kernel's first message ends its unpacking; what follows is still read and listed, but marked as not unpacked.
"""

from collections.abc import Callable
from dataclasses import replace

from bootrescue.formats.compression import Codec, identify_codec
from bootrescue.formats.cpio import Entry, Header
from bootrescue.formats.cpio_walker import ArchiveWalker, EntrySink
from bootrescue.formats.initramfs_model import Acceptance, Image, KernelView, Segment, SegmentRole
from bootrescue.formats.members import DECODERS, DamagedMemberError, Decoder, Report
from bootrescue.formats.stored_stream import CHUNK_SIZE_BYTES, StoredStream

ENTRY_LIMIT = 1 << 18
"""Ninety times the entries of a stock image (2,800); a whole live system has about 200,000."""

UNPACKED_LIMIT_BYTES = 1 << 32
"""Thirty times the largest stock image (133 MB); the kernel unpacks into memory, so more would not boot anyway."""

RATIO_LIMIT = 2000
"""Twice what deflate can reach (1,032); holds beyond RATIO_FREE_BYTES, so that a file of zeros is no offence."""

RATIO_FREE_BYTES = 256 << 20

PAYLOAD_LIMIT_BYTES = 256 << 20
"""Largest file whose body is shown to a visitor: above the largest module known, nvidia.ko with symbols (100 MB)."""

SEGMENT_LIMIT = 4096
"""A loader joins a handful of images; thousands of empty members are an attack on time and memory."""

PROBLEM_LIMIT = 100
"""Enough to see what is wrong; a hostile image could cause one per entry."""

_INVALID_MAGIC = "invalid magic at start of compressed archive"


_FOREIGN_MAGICS = {
    b"\x27\x05\x19\x56": "a uImage, whose header U-Boot takes off",  # include/image.h, U-Boot
    b"\x04\x22\x4d\x18": "an lz4 frame, where the kernel wants the legacy frame (lz4 -l)",
    b"LZIP": "lzip data, which the kernel does not know",
    b"hsqs": "a squashfs file system",
    b"MZ": "a PE file, perhaps a unified kernel image",
}


class LimitReachedError(Exception):
    """The image is larger than anything that boots; reading on would only burn time and memory."""


class Reading(EntrySink):
    """The state of one pass."""

    def __init__(
        self,
        source: StoredStream,
        wanted: Callable[[Entry], bool] | None,
        visit: Callable[[Entry, bytes], None] | None,
    ) -> None:
        self._source = source
        self._wanted = wanted
        self._visit = visit
        self._segments: list[Segment] = []
        self._entries: list[Entry] = []
        self._problems: list[str] = []
        self._kernel_message = ""
        self._lost = False  # the kernel has given up
        self._silently_cut = False  # the kernel does not notice that something is missing
        self._unjudged = False  # nobody can say what the kernel would do
        self._first_header = True  # the kernel has not yet seen a header
        self._follows_raw = False
        self._packed_before = False
        self._archive = 0
        self._unpacked_bytes = 0
        self._start = 0
        self._codec = Codec.UNKNOWN
        self._broken = False
        self._size_before = 0
        self._entries_before = 0

    def add(self, header: Header, name: bytes, target: bytes, where: tuple[int, int], *, skipped: bool) -> bool:
        """Keep the entry; tell whether somebody wants to see its body."""
        if len(self._entries) >= ENTRY_LIMIT:
            raise LimitReachedError(f"more than {ENTRY_LIMIT} entries")
        entry = Entry(
            name=name,
            mode=header.mode,
            uid=header.uid,
            gid=header.gid,
            nlink=header.nlink,
            mtime=header.mtime,
            size_bytes=header.size_bytes,
            ino=header.ino,
            dev_major=header.dev_major,
            dev_minor=header.dev_minor,
            rdev_major=header.rdev_major,
            rdev_minor=header.rdev_minor,
            link_target=target,
            header_offset=where[0],
            data_offset=where[1],
            segment=len(self._segments),
            archive=self._archive,
            unpacked=not (self._lost or skipped),
        )
        self._entries.append(entry)
        if self._visit is None or not entry.is_regular or not (self._wanted is None or self._wanted(entry)):
            return False
        if entry.size_bytes > PAYLOAD_LIMIT_BYTES:
            self.fault(f"a file of {entry.size_bytes} bytes is too large to look into", "", broken=False)
            return False
        return True

    def body(self, payload: bytes) -> None:
        """Show the body of the last entry."""
        if self._visit is not None:
            self._visit(self._entries[-1], payload)

    def trailer(self) -> None:
        """Count: a hard link does not cross a trailer."""
        self._archive += 1

    def fault(self, problem: str, kernel_message: str, *, broken: bool = True) -> None:
        """Note a problem of the segment that is being read; the kernel prints its first message only."""
        self._broken = self._broken or broken
        if len(self._problems) < PROBLEM_LIMIT:
            self._problems.append(f"segment {len(self._segments)}: {problem}")
        if kernel_message:
            self._kernel_message = self._kernel_message or kernel_message
            self._lost = True

    def run(self) -> None:
        """Read to the end, and whatever cannot be read only for its digest."""
        source = self._source
        source.skip_nuls()
        try:
            while not source.at_end:
                self._open_segment()
                if self._codec is Codec.NONE:
                    self._read_raw()
                elif decode := DECODERS.get(self._codec):
                    self._read_packed(decode)
                else:
                    self._pass_over()
        except LimitReachedError as error:
            self.fault(f"reading stopped: {error}", "")
            self._unjudged = True
            source.drain()
            self._close_segment(Report())
        if not self._segments:
            self._problems.append("there is no archive in it")

    def _open_segment(self) -> None:
        head = self._source.peek(6)
        self._start = self._source.position
        # A header is known by its first byte alone; what else begins with it is an error, not another codec.
        self._codec = Codec.NONE if head[:1] == b"0" else identify_codec(head)
        self._broken = False
        self._size_before = self._unpacked_bytes
        self._entries_before = len(self._entries)
        if len(self._segments) >= SEGMENT_LIMIT:
            raise LimitReachedError(f"more than {SEGMENT_LIMIT} segments")
        if not self._start & 3:
            return
        if self._follows_raw:
            self.fault(f"it begins at offset {self._start}, not aligned to 4 bytes", "broken padding", broken=False)
        elif self._codec is Codec.NONE:
            self.fault(f"it begins at offset {self._start}, not aligned to 4 bytes", _INVALID_MAGIC, broken=False)

    def _read_raw(self) -> None:
        """Read one archive that is not compressed."""
        source = self._source
        walker = ArchiveWalker(self, raw=True)
        while not walker.stopped and (piece := source.take(CHUNK_SIZE_BYTES)):
            used = walker.feed(piece)
            source.unread(len(piece) - used)
            self._count(used)
        self._silently_cut |= not walker.finish()
        self._first_header = False
        self._follows_raw = True
        if walker.stopped and not walker.at_boundary:
            source.drain()  # no header, no way on
        self._close_segment(Report(), needs_trailer=not walker.ended_by_trailer)

    def _read_packed(self, decode: Decoder) -> None:
        """Read one compressed member."""
        source = self._source
        report = Report()
        walker = ArchiveWalker(self, raw=False, begins=self._first_header)
        try:
            for piece in decode(source, report):
                self._tell_refusal(report)
                if not walker.stopped:
                    walker.feed(piece)
                self._count(len(piece))
        except DamagedMemberError as error:
            self._tell_refusal(report)
            self.fault(error.what, error.kernel_message)
            source.drain()  # nobody knows where it ends
        else:
            walker.finish()
            if report.problem and not report.refused:
                self.fault(report.problem, report.kernel_message, broken=report.damaged)
        self._first_header = False
        self._packed_before = True
        self._follows_raw = False
        proves_its_end = self._codec is not Codec.LZ4
        self._close_segment(report, needs_trailer=not (proves_its_end or walker.ended_by_trailer))

    def _tell_refusal(self, report: Report) -> None:
        if report.refused and not report.told:
            report.told = True
            self.fault(report.problem, report.kernel_message, broken=False)

    def _pass_over(self) -> None:
        """Leave unread what no decoder here knows, or what is no segment at all."""
        head = self._source.peek(4)
        if self._codec is Codec.UNKNOWN:
            guess = next((f", but {what}" for magic, what in _FOREIGN_MAGICS.items() if head.startswith(magic)), "")
            self.fault(f"what begins at offset {self._start} is no archive{guess}", _INVALID_MAGIC)
        else:
            self.fault(f"no decoder for {self._codec} is at hand; nothing from offset {self._start} on was read", "")
            self._unjudged = True
        self._source.drain()
        self._close_segment(Report())

    def _count(self, unpacked_bytes: int) -> None:
        """Stop at the limits."""
        self._unpacked_bytes += unpacked_bytes
        if self._unpacked_bytes > UNPACKED_LIMIT_BYTES:
            raise LimitReachedError(f"it unpacks to more than {UNPACKED_LIMIT_BYTES} bytes")
        unpacked = self._unpacked_bytes - self._size_before
        stored = self._source.position - self._start
        if unpacked > RATIO_FREE_BYTES and unpacked > RATIO_LIMIT * stored:
            raise LimitReachedError(f"it unpacks to more than {RATIO_LIMIT} times its size")

    def _close_segment(self, report: Report, *, needs_trailer: bool = False) -> None:
        """Take the padding and keep the segment."""
        source = self._source
        padding = source.skip_nuls()
        if needs_trailer and source.at_end and not self._broken:
            self.fault("the image ends with an archive that has no trailer, so it may be cut", "")
        self._segments.append(
            Segment(
                offset=self._start,
                stored_size_bytes=source.position - self._start,
                padding_size_bytes=padding,
                size_bytes=self._unpacked_bytes - self._size_before,
                codec=self._codec,
                role=SegmentRole.EARLY if self._is_early() else SegmentRole.OTHER,
                entry_count=len(self._entries) - self._entries_before,
                complete=not self._broken,
                checksummed=report.checksummed and not self._broken,
            )
        )

    def _is_early(self) -> bool:
        """Tell whether lib/earlycpio.c finds something: before any packed segment, under a name without "./"."""
        return (
            self._codec is Codec.NONE
            and not self._packed_before
            and any(entry.name.startswith(b"kernel/") for entry in self._entries[self._entries_before :])
        )

    def result(self, sha256: str) -> Image:
        """Sum up; `sha256` is the digest of the image or empty."""
        segments = self._segments_with_main()
        complete = bool(segments) and all(segment.complete for segment in segments)
        message = self._kernel_message and f"Initramfs unpacking failed: {self._kernel_message}"
        return Image(
            size_bytes=self._source.size_bytes,
            sha256=sha256,
            complete=complete,
            kernel_view=KernelView(accepted=self._accepted(), message=message),
            proved=complete and all(segment.checksummed for segment in segments),
            problems=tuple(self._problems),
            segments=segments,
            entries=tuple(self._entries),
            bootconfig_size_bytes=self._source.bootconfig_size_bytes,
        )

    def _accepted(self) -> Acceptance:
        if self._lost or not self._segments:
            unpacked = any(entry.unpacked for entry in self._entries)
            return Acceptance.PARTLY if unpacked else Acceptance.REFUSED
        if self._unjudged:
            return Acceptance.UNKNOWN
        return Acceptance.PARTLY if self._silently_cut else Acceptance.WHOLE

    def _segments_with_main(self) -> tuple[Segment, ...]:
        """Mark the segment whose /init is the last, and so the one that runs."""
        holders = [entry.segment for entry in self._entries if entry.name.lstrip(b"./") == b"init"]
        if not holders:
            return tuple(self._segments)
        main = holders[-1]
        return tuple(
            replace(segment, role=SegmentRole.MAIN) if index == main else segment
            for index, segment in enumerate(self._segments)
        )

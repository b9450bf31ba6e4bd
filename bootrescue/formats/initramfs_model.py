"""What is known about an initramfs image: plain values, made by initramfs_reading.py."""

from dataclasses import dataclass
from enum import StrEnum

from bootrescue.formats.compression import Codec
from bootrescue.formats.cpio import Entry


class SegmentRole(StrEnum):
    """What a segment is for."""

    EARLY = "early"
    MAIN = "main"
    OTHER = "other"


class Acceptance(StrEnum):
    """How much of an image the kernel unpacks; UNKNOWN where no decoder for a segment is at hand."""

    WHOLE = "whole"
    PARTLY = "partly"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelView:
    """What the kernel makes of an image.

    Attributes:
        accepted: how much it unpacks.
        message: the line it prints; empty where it prints none, be it that all is well or that it does not notice.
    """

    accepted: Acceptance
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One member of the concatenation, with the padding behind it.

    Attributes:
        offset: where it begins in the image.
        stored_size_bytes: its length in the image, padding included, up to where the next one begins.
        padding_size_bytes: how many of these are NULs behind the member.
        size_bytes: length of its archives when unpacked.
        codec: how it is packed; UNKNOWN for bytes that are no segment.
        role: what it is for.
        entry_count: how many entries its archives have, trailers not counted.
        complete: it was read to its end and nothing is missing or damaged.
        checksummed: a checksum covers all of it, and was right.
    """

    offset: int
    stored_size_bytes: int
    padding_size_bytes: int
    size_bytes: int
    codec: Codec
    role: SegmentRole
    entry_count: int
    complete: bool
    checksummed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """What one pass over an image found.

    Attributes:
        size_bytes: length of the image.
        sha256: digest of the image as stored, in hexadecimal; empty when it was not asked for.
        complete: every segment is complete.
        kernel_view: what the kernel makes of it.
        proved: it is complete, and checksums that were right cover every byte but the padding.
        problems: what is wrong, in sentences; at most PROBLEM_LIMIT.
        segments: in the order in which they stand.
        entries: of all segments, in the order in which they stand, trailers left out.
        bootconfig_size_bytes: length of the bootconfig at its end, which the kernel takes off before it unpacks.
    """

    size_bytes: int
    sha256: str
    complete: bool
    kernel_view: KernelView
    proved: bool
    problems: tuple[str, ...]
    segments: tuple[Segment, ...]
    entries: tuple[Entry, ...]
    bootconfig_size_bytes: int

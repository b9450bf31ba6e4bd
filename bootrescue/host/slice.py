"""Where the bytes of a partition lie."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """A run of bytes in a file or block device. `size_bytes` 0 means: to its end."""

    path: str
    offset_bytes: int = 0
    size_bytes: int = 0

"""What is mounted here, as this thread sees it.

The format is /proc/PID/mountinfo, proc_pid_mountinfo(5): blanks, tabs, newlines and backslashes in a name are octal.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MOUNT_INFO: Final = Path("/proc/thread-self/mountinfo")
_OCTAL: Final = re.compile(rb"\\([0-3][0-7]{2})")
_FIELDS_NEEDED: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class MountRow:
    """One mount.

    Attributes:
        number: the kernel's number for it, as in /proc/PID/fdinfo.
        device: `major:minor` of the superblock: for btrfs, one number for all subvolumes; `0:N` without a block device.
        source: what was mounted, as its mounter named it: `/dev/sda1`, `tmpfs`.
    """

    number: int
    device: str
    mount_point: Path
    source: str


def parse_mount_table(text: bytes) -> tuple[MountRow, ...]:
    """Read a mountinfo file; a line of another shape is passed over."""
    rows = []
    for line in text.splitlines():
        before, _, after = line.partition(b" - ")
        fields = before.split(b" ")
        tail = after.split(b" ")
        if len(fields) < _FIELDS_NEEDED or not fields[0].isdigit():
            continue
        rows.append(
            MountRow(
                number=int(fields[0]),
                device=fields[2].decode("ascii", "replace"),
                mount_point=Path(_text(fields[4])),
                source=_text(tail[1]) if len(tail) > 1 else "",
            )
        )
    return tuple(rows)


def mount_table() -> tuple[MountRow, ...]:
    """Every mount in this thread's mount namespace."""
    return parse_mount_table(MOUNT_INFO.read_bytes())


def is_mount_point(path: Path) -> bool:
    """Whether something is mounted exactly there."""
    real = path.resolve()
    return any(row.mount_point == real for row in mount_table())


def has_mounts_in(directory: Path) -> bool:
    """Whether something is mounted on a directory or anywhere below it."""
    real = directory.resolve()
    return any(row.mount_point.is_relative_to(real) for row in mount_table())


def _text(field: bytes) -> str:
    return _OCTAL.sub(lambda escape: bytes((int(escape[1], 8),)), field).decode("utf-8", "surrogateescape")

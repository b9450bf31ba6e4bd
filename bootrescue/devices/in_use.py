"""Which disks this machine itself uses: what is mounted or swapped to, followed down to whole disks by numbers.

Names tell nothing here: a root on LVM is /dev/mapper/vg-root, on md /dev/md0, on btrfs a number that no device has.
What stands on what is in /sys/dev/block/MAJOR:MINOR (Documentation/ABI/testing/sysfs-block, `slaves`).
"""

import os
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from bootrescue.host.mount_table import MountRow, mount_table

SYSFS: Final = Path("/sys/dev/block")
SWAPS: Final = Path("/proc/swaps")
# A mount without a block device of its own, such as btrfs, has this major number
NO_DEVICE: Final = "0:"


def disks_in_use(own: Path) -> Mapping[str, str]:
    """The number of each whole disk in use, and for what; mounts below `own` are not counted."""
    uses = [(number, str(row.mount_point)) for row in mount_table() for number in _numbers(row, own)]
    uses += [(number_of(name), "swap") for name in _swaps(SWAPS.read_text(encoding="utf-8", errors="surrogateescape"))]
    found: dict[str, str] = {}
    for number, use in uses:
        for disk in disks_below(number, SYSFS):
            found.setdefault(disk, use)
    return found


def _numbers(row: MountRow, own: Path) -> Iterable[str]:
    if row.mount_point.is_relative_to(own):
        return ()
    if not row.device.startswith(NO_DEVICE):
        return (row.device,)
    return (number_of(row.source),) if row.source.startswith("/dev/") else ()


def number_of(node: str) -> str:
    """`major:minor` of a block device's node; empty when it is none."""
    try:
        status = os.stat(node)  # noqa: PTH116 -- st_rdev below
    except OSError:
        return ""
    return f"{os.major(status.st_rdev)}:{os.minor(status.st_rdev)}" if stat.S_ISBLK(status.st_mode) else ""


def _swaps(text: str) -> list[str]:
    """The names in /proc/swaps, below its heading; a swap file's name is no node and says nothing."""
    return [line.split()[0] for line in text.splitlines()[1:] if line.strip()]


def disks_below(number: str, sysfs: Path) -> frozenset[str]:
    """The whole disks that a block device stands on, itself included when it is one; by their numbers."""
    here = sysfs / number
    if not number or not here.exists():
        return frozenset()
    if (here / "partition").exists():
        return disks_below(_number_in(here.resolve().parent), sysfs)
    slaves = here / "slaves"
    below = [disks_below(_number_in(slave), sysfs) for slave in slaves.iterdir()] if slaves.is_dir() else []
    return frozenset({number}).union(*below)


def _number_in(directory: Path) -> str:
    try:
        return (directory / "dev").read_text(encoding="ascii").strip()
    except OSError:
        return ""

"""A target that is open for writing."""

from dataclasses import dataclass
from pathlib import Path

from bootrescue.host.confined import ConfinedRoot
from bootrescue.host.settle import settle


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A system opened for writing. `mount_points` are the file systems to settle, as directories of this machine."""

    root: ConfinedRoot
    mount_points: tuple[Path, ...]


def settle_all(target: Target) -> None:
    """Bring everything written to where GRUB looks for it.

    Raises:
        OSError: a file system reports an error while it flushes.
    """
    for mount_point in target.mount_points:
        settle(mount_point)

"""A target that is open for writing."""

from dataclasses import dataclass
from pathlib import Path

from bootrescue.host.confined import ConfinedRoot


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A system opened for writing. `mount_points` are the file systems to settle, as directories of this machine."""

    root: ConfinedRoot
    mount_points: tuple[Path, ...]

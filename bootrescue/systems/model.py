"""Values that describe an installed system."""

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path, PurePosixPath

from bootrescue.filesystems.model import FileSystem
from bootrescue.filesystems.tree import FileTree


class FirmwareMode(StrEnum):
    """How the target's own loader was installed to be started."""

    BIOS = "bios"
    UEFI = "uefi"
    BOTH = "bios+uefi"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """A file system at its place in the target's tree."""

    mount_point: PurePosixPath
    file_system: FileSystem


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernel:
    """A kernel release with its image and its modules directory; None where that half is missing."""

    release: str
    image: PurePosixPath | None
    modules_directory: PurePosixPath | None


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledSystem:
    """A root file system plus its boot locations.

    Attributes:
        id: what the operator names it by, such as `debian-1f0c2a9b`.
        mounts: root first, then what its fstab puts below it, outermost first.
        problems: what could not be read or resolved, in words.
        tree: the whole of it, as it would see itself.
        directory: where that tree is mounted here.
    """

    id: str
    name: str
    version: str
    machine_id: str
    firmware: FirmwareMode
    mounts: tuple[Mount, ...]
    kernels: tuple[Kernel, ...]
    problems: tuple[str, ...]
    tree: FileTree = field(compare=False, repr=False)
    directory: Path = field(compare=False, repr=False)

    @property
    def root(self) -> FileSystem:
        """The root file system."""
        return self.mounts[0].file_system

    def file_system_at(self, mount_point: str) -> FileSystem | None:
        """The file system mounted exactly there; None when that directory belongs to another one."""
        found = (mount.file_system for mount in self.mounts if mount.mount_point == PurePosixPath(mount_point))
        return next(found, None)

    def mount_of(self, path: PurePosixPath) -> Mount:
        """The mount that a path lies on (links in the path are not followed)."""
        holding = (mount for mount in self.mounts if path.is_relative_to(mount.mount_point))
        return max(holding, key=lambda mount: len(mount.mount_point.parts))


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovery:
    """The systems found, and what could not be looked into, in words."""

    systems: tuple[InstalledSystem, ...]
    unread: tuple[str, ...]

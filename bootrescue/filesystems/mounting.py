"""A file system mounted for looking into, and others mounted at their places below it."""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from bootrescue.devices.model import Slice
from bootrescue.filesystems.access import ConfinedTree, confined_tree
from bootrescue.filesystems.model import FileSystem
from bootrescue.host.host import Host
from bootrescue.host.loop_devices import attach
from bootrescue.host.mounts import mounted


@dataclass(frozen=True, slots=True, kw_only=True)
class Mounted:
    """A file system and where it is mounted here."""

    file_system: FileSystem
    directory: Path
    tree: ConfinedTree


def mount_slice(
    host: Host, piece: Slice, file_system_type: str, *, at: Path | None = None, writable: bool = False
) -> Path:
    """Mount the file system in a run of bytes, through a loop device that is read-only unless asked.

    Raises:
        MachineLacksError: it cannot be mounted here.
    """
    device = attach(host, piece.path, offset_bytes=piece.offset_bytes, size_bytes=piece.size_bytes, writable=writable)
    return mounted(host, device, file_system_type, at=at, writable=writable)


def mount(host: Host, file_system: FileSystem, *, writable: bool = False) -> Mounted:
    """Mount a file system for as long as the host lives: read-only, without journal replay, unless asked.

    Raises:
        MachineLacksError: it cannot be mounted here.
    """
    directory = mount_slice(host, file_system.piece, file_system.type, writable=writable)
    return Mounted(file_system=file_system, directory=directory, tree=confined_tree(directory))


def mount_below(
    host: Host, root: Mounted, file_system: FileSystem, mount_point: PurePosixPath, *, writable: bool = False
) -> None:
    """Mount a file system at its place in the target's tree, that place resolved inside the target's root.

    Raises:
        MachineLacksError: it cannot be mounted here.
        OSError: there is no such directory on the target.
    """
    at = root.tree.root.here(mount_point)
    mount_slice(host, file_system.piece, file_system.type, at=at, writable=writable)

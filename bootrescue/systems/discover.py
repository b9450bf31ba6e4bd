"""Which systems are installed: every file system that holds an os-release and looks like a root."""

from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Final

from bootrescue.devices.model import Slice
from bootrescue.errors import BadInputError, BootRescueError, CancelledError, UsageError
from bootrescue.filesystems.access import confined_tree
from bootrescue.filesystems.model import FileSystem
from bootrescue.filesystems.mounting import Mounted, mount, mount_below
from bootrescue.filesystems.tree import FileKind, read_bytes
from bootrescue.formats.os_release import OsRelease, parse_os_release
from bootrescue.host.host import Host
from bootrescue.host.mounts import can_mount
from bootrescue.host.tools import require_root
from bootrescue.systems.kernels import collect_kernels
from bootrescue.systems.layout import FSTAB, firmware_mode, mount_below_root
from bootrescue.systems.model import Discovery, InstalledSystem, Mount

OS_RELEASE: Final = (PurePosixPath("/etc/os-release"), PurePosixPath("/usr/lib/os-release"))
MACHINE_ID: Final = PurePosixPath("/etc/machine-id")
# FAT can hold no root; what is swapped out is no file system
NEVER_A_ROOT: Final = {"vfat", "swap"}
# What a root file system has and a /boot, a home or a data partition has not
ROOT_DIRECTORIES: Final = ("/etc", "/usr", "/var")


def discover(host: Host, file_systems: tuple[FileSystem, ...]) -> Discovery:
    """Look into every file system that can be looked into, and describe the systems found.

    Raises:
        MachineLacksError: no root.
    """
    require_root("looking into a file system")
    systems: list[InstalledSystem] = []
    unread = []
    for file_system in file_systems:
        if file_system.type in NEVER_A_ROOT:
            continue
        if not can_mount(file_system.type):
            unread.append(f"{file_system.device} ({file_system.type}) cannot be looked into")
            continue
        host.report(f"looking into {file_system.device}")
        try:
            found = _system_on(host, file_system, file_systems)
        except CancelledError:
            raise
        except (BootRescueError, OSError) as error:
            unread.append(f"{file_system.device} ({file_system.type}): {error}")
            continue
        if found is not None:
            systems.append(_with_own_id(found, systems))
    return Discovery(systems=tuple(systems), unread=tuple(unread))


def _system_on(host: Host, file_system: FileSystem, file_systems: tuple[FileSystem, ...]) -> InstalledSystem | None:
    root = mount(host, file_system)
    if not _is_root(root):
        return None
    mounts, problems = mount_below_root(host, root, file_systems)
    return _system(root, mounts, problems)


def _with_own_id(system: InstalledSystem, others: list[InstalledSystem]) -> InstalledSystem:
    """Tell a copy of a disk from the disk: `--system` must be able to name either."""
    same = sum(other.root.uuid == system.root.uuid and other.name == system.name for other in others)
    return replace(system, id=f"{system.id}-{same + 1}") if same else system


def reopen(host: Host, system: InstalledSystem, writable: frozenset[str]) -> InstalledSystem:
    """Mount a known system anew for another host; the file systems on the named devices for writing, no others.

    Raises:
        MachineLacksError: a file system cannot be mounted, or not for writing.
        OSError: a mount point has gone.
    """
    root_mount, *below = system.mounts
    root = mount(host, root_mount.file_system, writable=root_mount.file_system.device in writable)
    for place in below:
        wanted = place.file_system.device in writable
        mount_below(host, root, place.file_system, place.mount_point, writable=wanted)
    return replace(system, tree=root.tree, directory=root.directory)


def describe_directory(host: Host, directory: str) -> InstalledSystem:
    """The system in a directory of this machine: mounted by somebody else, or a plain copy. Needs no root.

    Raises:
        BadInputError: there is no system in it.
        UsageError: there is no such directory.
    """
    host.report(f"looking into {directory}")
    path = Path(directory).resolve()
    if not path.is_dir():
        raise UsageError("there is no such directory", where=directory)
    nothing = FileSystem(
        uuid="", type="directory", label="", device=directory, piece=Slice(path=directory), size_bytes=0
    )
    root = Mounted(file_system=nothing, directory=path, tree=confined_tree(path))
    if not _is_root(root):
        raise BadInputError(
            "holds no installed system: no os-release, or no /etc, /usr and /var",
            where=directory,
            hint="give the directory that the system calls /",
        )
    mounts = (Mount(mount_point=PurePosixPath("/"), file_system=nothing),)
    return _system(root, mounts, ())


def _is_root(root: Mounted) -> bool:
    directories = (root.tree.status(PurePosixPath(name)) for name in ROOT_DIRECTORIES)
    if not all(found is not None and found.kind is FileKind.DIRECTORY for found in directories):
        return False
    # os-release may lie on a /usr of its own, which fstab names
    return any(root.tree.status(path) is not None for path in (*OS_RELEASE, FSTAB))


def _system(root: Mounted, mounts: tuple[Mount, ...], problems: tuple[str, ...]) -> InstalledSystem:
    release = _os_release(root)
    machine_id = (read_bytes(root.tree, MACHINE_ID) or b"").decode("ascii", errors="replace").strip()
    short = (root.file_system.uuid or machine_id or "directory")[:8]
    return InstalledSystem(
        id=f"{release.id or 'linux'}-{short}",
        name=release.pretty_name or release.name or "Linux",
        version=release.version_id,
        machine_id=machine_id,
        firmware=firmware_mode(root.tree),
        mounts=mounts,
        kernels=collect_kernels(root.tree),
        problems=problems,
        tree=root.tree,
        directory=root.directory,
    )


def _os_release(root: Mounted) -> OsRelease:
    for path in OS_RELEASE:
        text = read_bytes(root.tree, path)
        if text is not None:
            return parse_os_release(text)
    return parse_os_release(b"")

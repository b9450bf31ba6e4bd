"""The entries of a grub.cfg, with each file they name as a path on the target."""

import hashlib
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Final

from bootrescue.boot.model import DIRECTORY, BootEntry, EntryFile, EntryKind, GrubConfiguration
from bootrescue.errors import BadInputError
from bootrescue.filesystems.tree import FileKind, FileTree, read_bytes
from bootrescue.formats.grub import environment_block
from bootrescue.formats.grub.entries import GrubEntry, GrubMenu, default_entry, read_menu
from bootrescue.formats.grub.tree import parse
from bootrescue.systems.kernels import release_of
from bootrescue.systems.model import InstalledSystem

DIRECTORIES: Final = (PurePosixPath("/boot/grub"), PurePosixPath("/boot/grub2"))
READ_BYTES: Final = 1 << 20
Digests = dict[PurePosixPath, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class GrubReading:
    """A configuration with its entries."""

    configuration: GrubConfiguration
    entries: tuple[BootEntry, ...]


def collect_grub_entries(system: InstalledSystem) -> tuple[GrubReading, ...]:
    """Read every grub.cfg of a system in the places where its loader looks."""
    found = (directory / "grub.cfg" for directory in DIRECTORIES)
    return tuple(_read(system, path) for path in found if system.tree.status(path) is not None)


def read_configuration(content: bytes, environment: bytes = b"") -> GrubMenu:
    """The menu that a grub.cfg makes; the environment block is the content of grubenv, if there is one."""
    variables: dict[str, str] = {"grub_platform": "pc", "feature_platform_search_hint": "y"}
    if environment:
        variables.update(environment_block.parse(environment).variables)
    return read_menu(parse(content), environment=variables)


def _read(system: InstalledSystem, path: PurePosixPath) -> GrubReading:
    real = system.tree.real_name(path)
    content = read_bytes(system.tree, real) or b""
    menu = read_configuration(content, read_bytes(system.tree, real.parent / "grubenv") or b"")
    default = default_entry(menu)
    digests: Digests = {}
    entries = tuple(_entry(system, real, entry, default, digests) for entry in menu.entries if entry.kernel)
    entries = tuple(replace(entry, id=unique) for entry, unique in zip(entries, unique_ids(menu), strict=True))
    return GrubReading(
        configuration=GrubConfiguration(path=real, content=content, problems=menu.problems), entries=entries
    )


def unique_ids(menu: GrubMenu) -> tuple[str, ...]:
    """A name for each entry with a kernel: its id where no other has the same, else its place in the menu.

    On CentOS 7 grubby copies an entry with its id, so all of them have the same.
    """
    counts = Counter(entry.id for entry in menu.entries)
    named = (entry for entry in menu.entries if entry.kernel)
    return tuple(entry.id if entry.id and counts[entry.id] == 1 else entry.index_path for entry in named)


def _entry(
    system: InstalledSystem, source: PurePosixPath, entry: GrubEntry, default: GrubEntry | None, digests: Digests
) -> BootEntry:
    kernel = _file(system, (source, entry), entry.kernel, digests, known=entry.kernel_known)
    is_linux = entry.kernel_keyword.startswith("linux")
    release, problem = _release(system.tree, kernel) if is_linux else ("", "")
    return BootEntry(
        id=entry.index_path,
        title=entry.title,
        kind=EntryKind.GRUB,
        source_path=source,
        source_line=entry.line,
        source_offset=entry.span[0],
        submenu=entry.submenu,
        kernel=kernel,
        initrds=tuple(_file(system, (source, entry), word.text, digests, known=word.known) for word in entry.initrds),
        command_line=entry.command_line,
        default=entry is default,
        kernel_release=release,
        kernel_problem=problem,
    )


def _release(tree: FileTree, kernel: EntryFile) -> tuple[str, str]:
    """The kernel's release, and why the loader could not start it; both empty when that cannot be told."""
    if kernel.path is None:
        return "", ""
    if not kernel.exists:
        return "", "is missing"
    try:
        return release_of(tree, kernel.path), ""
    except BadInputError as error:
        return "", error.what
    except OSError as error:
        return "", f"cannot be read: {error.strerror}"


def _file(
    system: InstalledSystem, place: tuple[PurePosixPath, GrubEntry], written: str, digests: Digests, *, known: bool
) -> EntryFile:
    source, entry = place
    path = target_path(system, source, entry, written) if known else None
    if path is None:
        return EntryFile(written=written, path=None, exists=False)
    try:
        status = system.tree.status(path)
        if status is None or status.kind is not FileKind.FILE:
            return EntryFile(written=written, path=path, exists=False)
        real = system.tree.real_name(path)
        if real not in digests:
            digests[real] = _digest(system.tree, real)
    except OSError:
        # The name is there and its bytes cannot be had: what the loader would get is not known.
        return EntryFile(written=written, path=None, exists=False)
    return EntryFile(written=written, path=real, exists=True, size_bytes=status.size_bytes, sha256=digests[real])


def target_path(system: InstalledSystem, source: PurePosixPath, entry: GrubEntry, written: str) -> PurePosixPath | None:
    """Where a file that GRUB names lies on the target: GRUB's `/` is the file system that `search` found.

    Without a `search` it is the partition of `set root=`, without that the one that holds the configuration. None
    when GRUB would look on a file system that is not part of this system, or when the name holds a device of its own.
    """
    if not written.startswith("/"):
        return None
    below = PurePosixPath(written.lstrip("/"))
    if system.root.type == DIRECTORY:
        inside = PurePosixPath("/boot") / below
        return inside if system.tree.status(inside) is not None else PurePosixPath("/") / below
    mounts = system.mounts
    partition = entry.root.rpartition(",")[2] if "," in entry.root else ""
    if entry.root_uuid:
        mounts = tuple(found for found in mounts if found.file_system.uuid.lower() == entry.root_uuid.lower())
    elif partition:
        mounts = tuple(found for found in mounts if found.file_system.grub_partition == partition)
    else:
        mounts = (system.mount_of(source),)
    return mounts[0].mount_point / below if len(mounts) == 1 else None


def grub_path(system: InstalledSystem, path: PurePosixPath) -> str:
    """How GRUB names a file of the target, from the root of the file system that holds it."""
    mount = system.mount_of(path)
    return "/" + str(path.relative_to(mount.mount_point))


def _digest(tree: FileTree, path: PurePosixPath) -> str:
    digest = hashlib.sha256()
    with tree.open(path) as stream:
        while chunk := stream.read(READ_BYTES):
            digest.update(chunk)
    return digest.hexdigest()

"""Values that describe how one installed system boots."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Final

from bootrescue.devices.model import Hardware
from bootrescue.filesystems.model import FileSystem
from bootrescue.formats.initramfs import Image
from bootrescue.formats.kernel_module import KernelModule, module_name
from bootrescue.systems.model import InstalledSystem

# What libblkid calls file systems that hold others: what lies in them is not seen until they are opened
CONTAINERS: Final = frozenset({"crypto_LUKS", "LVM2_member", "linux_raid_member"})

# In place of a file system's type: a plain directory of this machine, whose disks are not known
DIRECTORY: Final = "directory"


class EntryKind(StrEnum):
    """Where a boot entry is written."""

    GRUB = "grub"
    BLS = "bls"
    UKI = "uki"


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryFile:
    """A file that a boot entry names.

    Attributes:
        written: as it stands in the configuration, variables expanded.
        path: the same file as the target sees it, links resolved; None when that could not be told.
        exists: false when the path leads to nothing.
    """

    written: str
    path: PurePosixPath | None
    exists: bool
    size_bytes: int = 0
    sha256: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BootEntry:
    """One choice in a loader's menu.

    Attributes:
        source_path, source_line, source_offset: where it is written.
        kernel_release: as the kernel image says it; empty when that could not be told.
        kernel_problem: why the loader could not start the kernel; empty when nothing speaks against it.
    """

    id: str
    title: str
    kind: EntryKind
    source_path: PurePosixPath
    source_line: int
    source_offset: int
    submenu: tuple[str, ...]
    kernel: EntryFile
    initrds: tuple[EntryFile, ...]
    command_line: str
    default: bool
    kernel_release: str
    kernel_problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageModule:
    """A kernel module inside an image, under its name there."""

    image: PurePosixPath
    path: str
    module: KernelModule

    @property
    def name(self) -> str:
        """The name that modprobe knows it by: that of its file, whatever it says of itself."""
        return module_name(self.path)

    @property
    def needed_before(self) -> tuple[str, ...]:
        """What its soft dependencies want loaded first: names of modules, or aliases (modprobe.d(5), softdep)."""
        lines = (line.partition("post:")[0] for line in self.module.softdeps)
        return tuple(word for line in lines for word in line.split() if word != "pre:")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFacts:
    """What one initramfs image on the target holds.

    Attributes:
        path: as the target sees it.
        texts: small configuration files inside it that name the machine it was made for, by their name in the image.
    """

    path: PurePosixPath
    modified_ns: int
    image: Image
    generator: str
    generator_version: str
    kernel_releases: tuple[str, ...]
    has_init: bool
    modules: tuple[ImageModule, ...]
    texts: Mapping[str, bytes] = field(default_factory=dict)
    names: frozenset[str] = frozenset()

    def modules_for(self, release: str) -> tuple[ImageModule, ...]:
        """The modules that lie in a kernel release's directory: its modprobe looks nowhere else."""
        places = (f"lib/modules/{release}/", f"usr/lib/modules/{release}/")
        return tuple(found for found in self.modules if found.path.startswith(places))


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledModule:
    """A module below /lib/modules."""

    path: PurePosixPath
    module: KernelModule

    @property
    def name(self) -> str:
        """The name that modprobe knows it by."""
        return module_name(self.path.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModulesFacts:
    """What /lib/modules/<release> holds, as far as the boot depends on it.

    Attributes:
        directory: None when there is none.
        builtin: names built into the kernel.
        builtin_known: false when modules.builtin is missing, so that any module may be built in.
        answers: a modalias, or a name out of a softdep -> the modules and built-in parts that answer to it.
        installed: the installed copies of those modules that the images carry.
        index_sha256: of modules.dep; `absent` when there is none.
        problems: what is wrong with the directory and its index, in words.
    """

    release: str
    directory: PurePosixPath | None
    builtin: frozenset[str] = frozenset()
    builtin_known: bool = True
    answers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    installed: tuple[InstalledModule, ...] = ()
    index_sha256: str = "absent"
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An initramfs image, under whatever name; those that entries use are among them.

    Attributes:
        paths: every place where these very bytes lie, as the target sees them.
        grub_path: how GRUB would name it, such as `/old/image.bin` on its file system.
    """

    facts: ImageFacts
    paths: tuple[PurePosixPath, ...]
    file_system_uuid: str
    grub_path: str
    used_by: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GrubConfiguration:
    """A grub.cfg, its bytes, and what went wrong while it was read."""

    path: PurePosixPath
    content: bytes
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BootChain:
    """All that decides whether one installed system boots.

    Attributes:
        file_systems: all that were found on the machine's disks.
        images: those that entries name; one that cannot be read is not among them.
    """

    system: InstalledSystem
    file_systems: tuple[FileSystem, ...]
    hardware: Hardware
    configurations: tuple[GrubConfiguration, ...]
    entries: tuple[BootEntry, ...]
    images: tuple[ImageFacts, ...]
    candidates: tuple[Candidate, ...]
    modules: tuple[ModulesFacts, ...]

    @property
    def sees_all(self) -> bool:
        """Whether every file system is in view; only then is one that was not found known to be missing."""
        types = {found.type for found in self.file_systems}
        return not types & CONTAINERS and self.system.root.type != DIRECTORY

    def image_at(self, path: PurePosixPath | None) -> ImageFacts | None:
        """The facts of the image at a path."""
        return next((facts for facts in self.images if facts.path == path), None)

    def modules_of(self, release: str) -> ModulesFacts | None:
        """The modules of a kernel release."""
        return next((facts for facts in self.modules if facts.release == release), None)

"""Values that describe how one installed system boots."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import PurePosixPath

from bootrescue.devices.model import Hardware
from bootrescue.formats.initramfs import Image
from bootrescue.formats.kernel_module import KernelModule
from bootrescue.systems.model import InstalledSystem


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
    """One choice in a loader's menu. `source_path` and `source_line` say where it is written."""

    id: str
    title: str
    kind: EntryKind
    source_path: PurePosixPath
    source_line: int
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

    path: str
    module: KernelModule


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

    def module(self, name: str) -> ImageModule | None:
        """The copy of a module that the image's own modprobe would load; the last one written wins."""
        found = [module for module in self.modules if module.module.name == name]
        return found[-1] if found else None


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledModule:
    """A module below /lib/modules."""

    path: PurePosixPath
    module: KernelModule


@dataclass(frozen=True, slots=True, kw_only=True)
class ModulesFacts:
    """What /lib/modules/<release> holds, as far as the boot depends on it.

    Attributes:
        depends: module name -> names it needs loaded before it, from modules.dep.
        builtin: names built into the kernel.
        aliases: (pattern, module name) pairs of modules and of built-in parts.
        installed: the installed copies of those modules that the images carry.
        index_sha256: of modules.dep; `absent` when there is none.
        problems: what is wrong with the index, in words.
    """

    release: str
    directory: PurePosixPath | None
    depends: Mapping[str, tuple[str, ...]]
    builtin: frozenset[str]
    aliases: tuple[tuple[str, str], ...]
    installed: tuple[InstalledModule, ...]
    index_sha256: str = "absent"
    problems: tuple[str, ...] = ()

    def installed_module(self, name: str) -> InstalledModule | None:
        """The installed copy of a module, if there is one."""
        return next((found for found in self.installed if found.module.name == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An initramfs image that is not the one an entry uses now, under whatever name.

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
    """All that decides whether one installed system boots."""

    system: InstalledSystem
    file_system_uuids: frozenset[str]
    hardware: Hardware
    configurations: tuple[GrubConfiguration, ...]
    entries: tuple[BootEntry, ...]
    images: tuple[ImageFacts, ...]
    candidates: tuple[Candidate, ...]
    modules: tuple[ModulesFacts, ...]

    def image_at(self, path: PurePosixPath | None) -> ImageFacts | None:
        """The facts of the image at a path."""
        return next((facts for facts in self.images if facts.path == path), None)

    def modules_of(self, release: str) -> ModulesFacts | None:
        """The modules of a kernel release."""
        return next((facts for facts in self.modules if facts.release == release), None)

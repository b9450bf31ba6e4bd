"""A machine held in memory: its files, its file systems, and the boot chain that the program reads from them."""

import random
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from bootrescue.boot.collect import collect
from bootrescue.boot.model import BootChain
from bootrescue.devices.model import Hardware, Slice
from bootrescue.filesystems.model import FileSystem
from bootrescue.filesystems.tree import FileTree, MemoryTree, Status
from bootrescue.findings.diagnose import diagnose
from bootrescue.findings.model import Diagnosis
from bootrescue.host.host import Host
from bootrescue.systems.model import FirmwareMode, InstalledSystem, Mount
from tests.image_builders import PACKERS, CpioFile, ModuleRecipe, archive, bzimage, early_archive, file, kernel_module

RELEASE = "6.1.0-18-amd64"
VERMAGIC = f"{RELEASE} SMP preempt mod_unload modversions "
ROOT_UUID = "1f0c2a9b-0000-4000-8000-000000000001"
BOOT_UUID = "1f0c2a9b-0000-4000-8000-000000000002"
OTHER_UUID = "ffffffff-0000-4000-8000-00000000000f"
IMAGE = f"/boot/initrd.img-{RELEASE}"
BACKUP = "/root/old/i40e-backup.bin"
VIRTIO_DISK = "virtio:d00000002v00001AF4"
VIRTIO_PCI = "pci:v00001AF4d00001042sv00001AF4sd00001100bc01sc00i00"

# name -> what it needs, where it lies
DRIVERS: dict[str, tuple[tuple[str, ...], str]] = {
    "virtio_blk": (("virtio", "virtio_ring"), "drivers/block"),
    "virtio_pci": (("virtio", "virtio_ring"), "drivers/virtio"),
    "virtio_ring": (("virtio",), "drivers/virtio"),
    "virtio": ((), "drivers/virtio"),
    "ext4": (("jbd2",), "fs/ext4"),
    "jbd2": ((), "fs/jbd2"),
    "i40e": ((), "drivers/net"),
}


def driver(name: str, *, stripped: bool = False, vermagic: str = VERMAGIC, info: tuple[str, ...] = ()) -> bytes:
    """A module as the kernel takes it, or spoiled."""
    needs = ",".join(DRIVERS[name][0]) if name in DRIVERS else ""
    recipe = ModuleRecipe(name=name, vermagic=vermagic, symbols=not stripped, info=(f"depends={needs}", *info))
    return kernel_module(recipe)


def place(name: str) -> str:
    """Where a module lies below the modules directory."""
    return f"kernel/{DRIVERS[name][1]}/{name}.ko"


def drivers(**changed: bytes | None) -> dict[str, bytes]:
    """Every module under its place, some of them changed or (None) left out."""
    chosen = {name: changed.get(name, driver(name)) for name in DRIVERS}
    return {place(name): content for name, content in chosen.items() if content is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRecipe:
    """An initramfs image; `more` are further files in it, `salt` makes its bytes unlike another's."""

    modules: Mapping[str, bytes] = field(default_factory=drivers)
    release: str = RELEASE
    init: bool = True
    codec: str = "gzip"
    more: tuple[CpioFile, ...] = ()
    salt: int = 0


def image(recipe: ImageRecipe | None = None) -> bytes:
    """Write an image: microcode, then the main archive."""
    recipe = recipe or ImageRecipe()
    top = f"usr/lib/modules/{recipe.release}"
    # No real image is as small as these: without bytes that do not pack they would not count as images.
    filler = file("usr/share/filler", random.Random(recipe.salt).randbytes(6000))  # noqa: S311 -- no secret
    entries = [file(f"{top}/{path}", body) for path, body in recipe.modules.items()]
    entries += [file("init", b"#!/bin/sh\n", 0o755)] if recipe.init else []
    return early_archive() + PACKERS[recipe.codec](archive(*entries, *recipe.more, filler))


def waits_for(uuid: str) -> CpioFile:
    """The file by which dracut waits for a file system."""
    escaped = f"/dev/disk/by-uuid/{uuid}".replace("/", "\\x2f")
    return file(f"usr/lib/dracut/hooks/initqueue/finished/devexists-{escaped}.sh", b"[ -e x ]\n")


def menu_entry(title: str, initrd: str, *, search: str = ROOT_UUID, more: str = "", root: str = ROOT_UUID) -> str:
    """One menuentry of a grub.cfg."""
    found = f"  search --no-floppy --fs-uuid --set=root {search}\n" if search else ""
    initrds = f"  initrd {initrd}\n" if initrd else ""
    kernel = f"/boot/vmlinuz-{RELEASE}" if search != BOOT_UUID else f"/vmlinuz-{RELEASE}"
    return f"menuentry '{title}' {{\n{found}  linux {kernel} root=UUID={root} ro{more}\n{initrds}}}\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A Debian machine in order; each field changes something of it.

    Attributes:
        files: put in, or (None) taken out.
        installed: modules below /lib/modules by their place.
        separate_boot: /boot is a file system of its own.
    """

    image: bytes = field(default_factory=image)
    files: Mapping[str, bytes | None] = field(default_factory=dict)
    modified: Mapping[str, int] = field(default_factory=dict)
    installed: Mapping[str, bytes] = field(default_factory=drivers)
    builtin: tuple[str, ...] = ()
    aliases: tuple[tuple[str, str], ...] = (
        ("virtio:d00000002v*", "virtio_blk"),
        ("pci:v00001AF4d*sv*sd*bc*sc*i*", "virtio_pci"),
    )
    hardware: Hardware = field(default_factory=lambda: Hardware(modaliases=(VIRTIO_DISK, VIRTIO_PCI)))
    separate_boot: bool = False
    others: tuple[FileSystem, ...] = ()
    root_type: str = "ext4"
    grub: str = ""

    def write_to(self, directory: Path) -> Path:
        """The same machine as a directory of this one."""
        for name, content in self.contents().items():
            path = directory / name.lstrip("/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return directory

    def tree(self) -> FileTree:
        """All its files, in memory."""
        return DatedTree(files=self.contents(), modified=self.modified)

    def contents(self) -> dict[str, bytes]:
        """Its files by their paths."""
        top = f"/lib/modules/{RELEASE}"
        needs = {name: " ".join(place(need) for need in DRIVERS[name][0]) for name in DRIVERS}
        index = "".join(f"{place(name)}: {needs[name]}\n" for name in DRIVERS if place(name) in self.installed)
        initrd = IMAGE.removeprefix("/boot") if self.separate_boot else IMAGE
        search = BOOT_UUID if self.separate_boot else ROOT_UUID
        made: dict[str, bytes | None] = {
            "/etc/os-release": b'ID=debian\nPRETTY_NAME="Debian GNU/Linux 12"\nVERSION_ID="12"\n',
            "/etc/machine-id": b"0123456789abcdef0123456789abcdef\n",
            "/usr/bin/true": b"",
            "/var/lib/dpkg/status": b"",
            f"/boot/vmlinuz-{RELEASE}": bzimage(),
            "/boot/grub/grub.cfg": (self.grub or menu_entry("Debian", initrd, search=search)).encode(),
            IMAGE: self.image,
            f"{top}/modules.dep": index.encode(),
            f"{top}/modules.builtin": "".join(f"kernel/x/{name}.ko\n" for name in self.builtin).encode(),
            f"{top}/modules.alias": "".join(f"alias {pattern} {name}\n" for pattern, name in self.aliases).encode(),
            **{f"{top}/{path}": body for path, body in self.installed.items()},
            **self.files,
        }
        return {name: content for name, content in made.items() if content is not None}

    def system(self) -> InstalledSystem:
        """The machine as systems/ would describe it."""
        root = file_system(ROOT_UUID, self.root_type, "sda2", self.hardware)
        mounts = [Mount(mount_point=PurePosixPath("/"), file_system=root)]
        if self.separate_boot:
            boot = file_system(BOOT_UUID, "xfs", "sda1", self.hardware)
            mounts.append(Mount(mount_point=PurePosixPath("/boot"), file_system=boot))
        return InstalledSystem(
            id="debian-1f0c2a9b",
            name="Debian GNU/Linux 12",
            version="12",
            machine_id="0123456789abcdef0123456789abcdef",
            firmware=FirmwareMode.BIOS,
            mounts=tuple(mounts),
            kernels=(),
            problems=(),
            tree=self.tree(),
            directory=Path("/nonexistent"),
        )

    def chain(self) -> BootChain:
        """The boot chain, read by the program itself."""
        system = self.system()
        own = tuple(mount.file_system for mount in system.mounts)
        return collect(silent_host(), system, (*own, *self.others))

    def diagnosis(self) -> Diagnosis:
        """The verdicts and findings."""
        return diagnose(self.chain())


@dataclass(frozen=True, slots=True)
class DatedTree(MemoryTree):
    """A tree in memory whose files have times."""

    modified: Mapping[str, int] = field(default_factory=dict)

    def status(self, path: PurePosixPath) -> Status | None:
        """See FileTree."""
        found = MemoryTree.status(self, path)
        return replace(found, modified_ns=self.modified.get(str(path), 0)) if found else None


def file_system(uuid: str, kind: str, device: str, hardware: Hardware | None = None) -> FileSystem:
    """A file system on a partition."""
    number = device[-1]
    return FileSystem(
        uuid=uuid,
        type=kind,
        label=f"label-{number}",
        device=f"/dev/{device}",
        piece=Slice(path=f"/dev/{device}"),
        size_bytes=1 << 30,
        partition_uuid=f"abcd-0{number}",
        grub_partition=f"gpt{number}",
        hardware=hardware or Hardware(),
    )


def silent_host() -> Host:
    """A host that nothing is taken from."""
    return Host(resources=ExitStack(), work=Path("/nonexistent"))

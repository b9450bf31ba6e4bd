"""Breaks a machine in the ways that real ones were broken, and says what changed and what the console shows."""

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.lab import cpio
from tests.lab.commands import LabError, chroot, run
from tests.lab.foreign import foreign_image
from tests.lab.machine import LabMachine, installed_system

# The backup is older than anything else on the disk: neither its name nor its time gives it away.
BACKUP_TIME_SECONDS = 1_483_228_800


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One path of the installed system with its SHA-256 before and after; None where there was no file."""

    path: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """What was done to a machine; any of the `console` texts is what its failing boot says."""

    name: str
    changes: tuple[Change, ...]
    backup: str
    console: tuple[str, ...]


@dataclass(slots=True)
class _Scene:
    """A mounted installed system that remembers the first state of every path it is asked to change."""

    machine: LabMachine
    root: Path
    before: dict[str, str | None] = field(default_factory=dict)

    def local(self, path: str) -> Path:
        return self.root / path.lstrip("/")

    def remember(self, path: str) -> Path:
        local = self.local(path)
        self.before.setdefault(path, _digest(local))
        return local

    def read(self, path: str) -> bytes:
        return self.local(path).read_bytes()

    def write(self, path: str, content: bytes) -> None:
        """Replace a file's content and keep its mode and owner."""
        local = self.remember(path)
        local.parent.mkdir(parents=True, exist_ok=True)
        local.write_bytes(content)

    def keep_backup(self) -> None:
        """Keep the good image under a name that hides what it is."""
        self.write(self.machine.backup, self.read(self.machine.initrd))
        os.utime(self.local(self.machine.backup), (BACKUP_TIME_SECONDS, BACKUP_TIME_SECONDS))

    def changes(self) -> tuple[Change, ...]:
        states = ((path, before, _digest(self.local(path))) for path, before in sorted(self.before.items()))
        return tuple(Change(path=path, before=before, after=after) for path, before, after in states if before != after)


def strip(machine: LabMachine, *, module: str | None = None) -> Break:
    """Strip a module of all its symbols, in the image and in /lib/modules: the kernel refuses such a file."""
    name = module or machine.storage_module
    with _scene(machine) as scene:
        scene.keep_backup()
        with _image_unpacked(scene) as tree:
            path = _module(tree, name)
            path.write_bytes(_stripped(path))
        installed = _module(scene.root / "lib/modules" / machine.kernel_release, name)
        scene.write(f"/{installed.relative_to(scene.root)}", _stripped(installed))
        _depmod(scene)
        changes = scene.changes()
    text = f"{name}: module has no symbols (stripped?)"
    return Break(name="strip", changes=changes, backup=machine.backup, console=(text,))


def foreign(machine: LabMachine) -> Break:
    """Put the host-only image of another machine in place: it knows neither this disk nor its file system."""
    with _scene(machine) as scene:
        scene.keep_backup()
        codec = cpio.split(scene.read(machine.initrd)).codec
        scene.write(machine.initrd, foreign_image(machine, codec))
        changes = scene.changes()
    return Break(name="foreign", changes=changes, backup=machine.backup, console=("Could not boot",))


def truncate(machine: LabMachine) -> Break:
    """Cut the image to two thirds, as a full disk or a broken copy does."""
    with _scene(machine) as scene:
        scene.keep_backup()
        image = scene.read(machine.initrd)
        scene.write(machine.initrd, image[: len(image) * 2 // 3])
        changes = scene.changes()
    texts = ("Initramfs unpacking failed", "VFS: Unable to mount root fs")
    return Break(name="truncate", changes=changes, backup=machine.backup, console=texts)


def drop(machine: LabMachine) -> Break:
    """Leave the root's file-system module out of the image, indexed anew as a generator would have it."""
    with _scene(machine) as scene:
        scene.keep_backup()
        with _image_unpacked(scene) as tree:
            _module(tree, machine.file_system_module).unlink()
            run("depmod", "--basedir", tree, machine.kernel_release)
        changes = scene.changes()
    texts = (f"unknown filesystem type '{machine.file_system_module}'", "No such device")
    return Break(name="drop", changes=changes, backup=machine.backup, console=texts)


BREAKS: dict[str, Callable[[LabMachine], Break]] = {
    "strip": strip,
    "strip-fs": lambda machine: replace(strip(machine, module=machine.file_system_module), name="strip-fs"),
    "foreign": foreign,
    "truncate": truncate,
    "drop": drop,
}


@contextmanager
def _scene(machine: LabMachine) -> Iterator[_Scene]:
    with installed_system(machine) as root:
        yield _Scene(machine=machine, root=root)


@contextmanager
def _image_unpacked(scene: _Scene) -> Iterator[Path]:
    """Unpack the image's main archive, and put the image together again in its own layout."""
    image = cpio.split(scene.read(scene.machine.initrd))
    with tempfile.TemporaryDirectory(prefix="bootrescue-lab-image-") as name:
        tree = Path(name) / "tree"
        cpio.unpack(image.archive, tree)
        yield tree
        scene.write(scene.machine.initrd, cpio.join(replace(image, archive=cpio.pack(tree))))


def _module(directory: Path, name: str) -> Path:
    found = sorted(path for path in directory.rglob(f"{name}.ko*") if path.is_file() and not path.is_symlink())
    if len(found) != 1:
        raise LabError(f"{directory} holds {len(found)} modules named {name}, not one")
    return found[0]


def _stripped(path: Path) -> bytes:
    """Return the module after `strip`, compressed again as it was."""
    codec = cpio.EXTENSIONS.get(path.suffix)
    content = path.read_bytes()
    with tempfile.NamedTemporaryFile(suffix=".ko") as file:
        file.write(cpio.decompress(codec, content) if codec else content)
        file.flush()
        run("strip", "--strip-all", file.name)
        stripped = Path(file.name).read_bytes()
    return cpio.compress(codec, stripped) if codec else stripped


def _depmod(scene: _Scene) -> None:
    """Index the installed modules anew with the system's own depmod, as an operator would."""
    directory = f"/lib/modules/{scene.machine.kernel_release}"
    for path in scene.local(directory).glob("modules.*"):
        scene.remember(f"{directory}/{path.name}")
    chroot(scene.root, "depmod", scene.machine.kernel_release)


def _digest(path: Path) -> str | None:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else None

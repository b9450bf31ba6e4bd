"""What is in an initramfs image on the target: segments, modules, and the marks of the machine it was made for."""

import stat
from pathlib import PurePosixPath
from typing import Final

from bootrescue.boot.model import ImageFacts, ImageModule
from bootrescue.filesystems.tree import FileTree
from bootrescue.formats.cpio import Entry
from bootrescue.formats.initramfs import effective_entries, identify_generator, kernel_releases, normalised, read_image
from bootrescue.formats.kernel_module import KernelModule, examine_module

MODULE_SUFFIXES: Final = (b".ko", b".ko.gz", b".ko.xz", b".ko.zst")
# Files by which generators tie an image to a machine, or name themselves
TEXT_PREFIXES: Final = (
    b"etc/cmdline.d/",
    b"etc/cmdline",
    b"etc/crypttab",
    b"cryptroot/crypttab",
    b"etc/hostname",
    b"etc/machine-id",
    b"etc/mdadm.conf",
    b"etc/mdadm/mdadm.conf",
    b"etc/lvm/devices/system.devices",
    b"etc/initrd-release",
    b"usr/lib/initrd-release",
    b"etc/fstab",
    b"conf/conf.d/",
    b"conf/initramfs.conf",
    b"usr/lib/dracut/build-parameter.txt",
    b"lib/dracut/build-parameter.txt",
    b"buildconfig",
    b"VERSION",
)
TEXT_LIMIT_BYTES: Final = 64 << 10


class ModuleCache:
    """Verdicts on modules by the digest of their bytes: the same module lies in many images and on the disk."""

    def __init__(self) -> None:
        self._known: dict[bytes, KernelModule] = {}

    def examine(self, data: bytes, file_name: str) -> KernelModule:
        """Judge a module, or remember the verdict on the very same bytes."""
        import hashlib  # noqa: PLC0415 -- only where a module is read

        key = hashlib.sha256(data).digest() + file_name.rpartition("/")[2].encode(errors="surrogateescape")
        if key not in self._known:
            self._known[key] = examine_module(data, file_name=file_name)
        return self._known[key]


def examine_image(tree: FileTree, path: PurePosixPath, cache: ModuleCache) -> ImageFacts:
    """Read one image from beginning to end.

    Raises:
        OSError: it cannot be read.
        BadInputError: it is no regular file.
    """
    modules: dict[bytes, ImageModule] = {}
    texts: dict[str, bytes] = {}

    def visit(entry: Entry, payload: bytes) -> None:
        name = normalised(entry.name)
        shown = name.decode(errors="surrogateescape")
        if name.endswith(MODULE_SUFFIXES):
            modules[name] = ImageModule(image=path, path=shown, module=cache.examine(payload, shown))
        else:
            texts[shown] = payload

    with tree.open(path) as stream:
        image = read_image(stream, wanted=_is_wanted, visit=visit)
    effective = effective_entries(image)
    identifying = {name.encode(errors="surrogateescape"): text for name, text in texts.items()}
    generator = identify_generator(effective.keys(), identifying)
    status = tree.status(path)
    return ImageFacts(
        path=path,
        modified_ns=status.modified_ns if status else 0,
        image=image,
        generator=generator.name,
        generator_version=generator.version,
        kernel_releases=kernel_releases(effective.keys()),
        has_init=_has_init(effective),
        modules=tuple(module for name, module in modules.items() if name in effective),
        texts=texts,
        names=frozenset(name.decode(errors="surrogateescape") for name in effective),
    )


def _is_wanted(entry: Entry) -> bool:
    name = normalised(entry.name)
    if name.endswith(MODULE_SUFFIXES):
        return True
    return name.startswith(TEXT_PREFIXES) and entry.size_bytes <= TEXT_LIMIT_BYTES


def _has_init(effective: dict[bytes, Entry]) -> bool:
    """Whether the kernel finds something to start: /init, executable or a link (init/main.c, Linux 6.12)."""
    entry = effective.get(b"init")
    if entry is None:
        return False
    return stat.S_ISLNK(entry.mode) or bool(entry.mode & 0o111)

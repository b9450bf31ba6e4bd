"""Which kernels a system has: images under /boot, modules under /lib/modules, matched by release."""

import re
from pathlib import PurePosixPath
from typing import Final

from bootrescue.errors import BadInputError
from bootrescue.filesystems.tree import FileKind, FileTree
from bootrescue.formats.kernel_image import parse_kernel_image
from bootrescue.systems.model import Kernel

MODULES: Final = PurePosixPath("/lib/modules")
IMAGE_PREFIXES: Final = ("vmlinuz", "vmlinux", "kernel-", "bzImage")
# The banner of a bzImage lies within its set-up part, at most 64 sectors of 512 bytes (Documentation/arch/x86/boot.rst)
IMAGE_HEAD_BYTES: Final = 64 << 10


def collect_kernels(tree: FileTree) -> tuple[Kernel, ...]:
    """List kernels by release, the highest number last; half of one counts too."""
    images = _images(tree)
    releases = {entry.name for entry in tree.entries(MODULES) if entry.kind is FileKind.DIRECTORY}
    return tuple(
        Kernel(
            release=release,
            image=images.get(release),
            modules_directory=MODULES / release if release in releases else None,
        )
        for release in sorted(images.keys() | releases, key=_by_number)
    )


def release_of(tree: FileTree, image: PurePosixPath) -> str:
    """The release that a kernel image says it is.

    Raises:
        BadInputError: it is no kernel image.
        OSError: it cannot be read.
    """
    with tree.open(image) as stream:
        return parse_kernel_image(stream.read(IMAGE_HEAD_BYTES)).release


def _by_number(release: str) -> list[tuple[int, str]]:
    """6.1.0-9 comes before 6.1.0-18."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"([0-9]{1,18})", release)]


def _images(tree: FileTree) -> dict[str, PurePosixPath]:
    """The image of each release; where several say they are it, the one that is named so."""
    found: dict[str, PurePosixPath] = {}
    for entry in tree.entries(PurePosixPath("/boot")):
        if entry.kind is not FileKind.FILE or not entry.name.startswith(IMAGE_PREFIXES) or "rescue" in entry.name:
            continue
        path = PurePosixPath("/boot") / entry.name
        try:
            release = release_of(tree, path)
        except (BadInputError, OSError):
            continue
        if release not in found or path.name.endswith(release):
            found[release] = path
    return found

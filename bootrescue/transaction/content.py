"""What each step writes: the new bytes of each file, made from what lies on the target."""

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from bootrescue.errors import RefusedError
from bootrescue.formats.cpio import Entry
from bootrescue.formats.initramfs import normalised, read_image
from bootrescue.host.confined import ConfinedRoot
from bootrescue.host.depmod import rebuilt_index
from bootrescue.host.host import Host
from bootrescue.host.reading import digest_of, read_chunks
from bootrescue.plan.model import PointEntry, RebuildModuleIndex, RestoreImage, RestoreModule, Step
from bootrescue.plan.point_entry import edited

DEPMOD_DIRECTORIES: Final = tuple(PurePosixPath(top) / "depmod.d" for top in ("/etc", "/usr/lib", "/lib"))


@dataclass(frozen=True, slots=True, kw_only=True)
class NewContent:
    """What a path will hold. `sha256` is what the plan promised, or what depmod made."""

    path: PurePosixPath
    chunks: Iterable[bytes]
    sha256: str


def contents_of(host: Host, root: ConfinedRoot, step: Step) -> Iterator[NewContent]:
    """The files that a step writes, in order. Nothing is written here.

    Raises:
        BadInputError: a source is damaged.
        MachineLacksError: depmod or an overlay is missing here.
        OSError: a source cannot be read.
        RefusedError: a source is not what the plan was made from.
    """
    match step:
        case RestoreImage():
            yield NewContent(path=step.path, chunks=read_chunks(root, step.source), sha256=step.after_sha256)
        case RestoreModule():
            module = member_of_image(root, step.source, step.member)
            yield NewContent(path=step.path, chunks=(module,), sha256=step.after_sha256)
        case PointEntry():
            before = b"".join(read_chunks(root, step.path))
            after = edited(before, step.line, step.old, step.new)
            yield NewContent(path=step.path, chunks=(after,), sha256=step.after_sha256)
        case RebuildModuleIndex():
            index = rebuilt_index(host, root.here(step.path), step.release, _depmod_configuration(root))
            for name, content in index.items():
                yield NewContent(path=step.path / name, chunks=(content,), sha256=hashlib.sha256(content).hexdigest())


def _depmod_configuration(root: ConfinedRoot) -> dict[str, bytes]:
    """The target's depmod.d, by file name: of files of one name the first directory's counts (depmod.d(5))."""
    found: dict[str, bytes] = {}
    for directory in DEPMOD_DIRECTORIES:
        try:
            descriptor = root.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        except OSError:
            continue
        try:
            with os.scandir(descriptor) as entries:
                names = [entry.name for entry in entries if entry.name.endswith(".conf")]
        finally:
            os.close(descriptor)
        for name in names:
            if name not in found:
                found[name] = b"".join(read_chunks(root, directory / name))
    return found


def member_of_image(root: ConfinedRoot, image: PurePosixPath, member: str) -> bytes:
    """The bytes of a file in an image; where a name stands twice, the last one, as the kernel unpacks it.

    Raises:
        RefusedError: there is no such file in the image.
    """
    wanted = member.encode(errors="surrogateescape")
    found: list[bytes] = []

    def is_wanted(entry: Entry) -> bool:
        return normalised(entry.name) == wanted

    def visit(_entry: Entry, payload: bytes) -> None:
        found[:] = [payload]

    descriptor = root.open(image)
    with open(descriptor, "rb") as stream:  # noqa: PTH123 -- a descriptor, not a path
        read_image(stream, wanted=is_wanted, visit=visit)
    if not found:
        raise RefusedError(f"the image no longer holds {member}", where=str(image))
    return found[0]


def is_already_so(root: ConfinedRoot, content: NewContent) -> bool:
    """Whether a path already holds what it shall hold: then it is not touched."""
    return digest_of(root, content.path) == content.sha256

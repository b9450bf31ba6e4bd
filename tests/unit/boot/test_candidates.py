"""Images are found by what is in them; whatever else lies on a disk is passed over at the cost of a few bytes."""

import io
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import BinaryIO

import pytest

from bootrescue.boot.candidates import find_images
from bootrescue.filesystems.tree import DirectoryEntry, FileKind, MemoryTree, Status
from tests.chain_builders import ImageRecipe, driver, image, silent_host
from tests.image_builders import PACKERS

LARGE_MODULE = driver("i40e") + bytes(range(256)) * 2000


def found(tree: MemoryTree) -> list[str]:
    """The images of a tree."""
    return [str(path) for path in find_images(silent_host(), tree)]


@pytest.mark.parametrize("codec", PACKERS)
def test_an_image_is_found_in_every_packing_and_a_module_is_none(codec: str) -> None:
    files = {"/srv/image": image(ImageRecipe(codec=codec)), "/lib/modules/x/i40e.ko.y": PACKERS[codec](LARGE_MODULE)}
    assert found(MemoryTree(files=files)) == ["/srv/image"]


@pytest.mark.parametrize("codec", PACKERS)
def test_an_image_without_microcode_is_found_by_the_packing_alone(codec: str) -> None:
    data = image(ImageRecipe(codec="none", salt=3))
    assert found(MemoryTree(files={"/x": PACKERS[codec](data)})) == ["/x"]


def test_an_image_behind_padding_is_found() -> None:
    assert found(MemoryTree(files={"/x": bytes(5000) + image()})) == ["/x"]


@pytest.mark.parametrize("content", [bytes(10_000), b"text\n" * 2000, b"\x1f\x8b" + bytes(9000), b"070701" + b"x" * 9])
def test_what_is_no_image_is_passed_over(content: bytes) -> None:
    assert found(MemoryTree(files={"/x": content})) == []


@dataclass(frozen=True, slots=True)
class OddTree(MemoryTree):
    """A tree with inodes, with files that cannot be read, and one directory that contains itself for ever."""

    inodes: Mapping[str, int] = field(default_factory=dict)
    unreadable: frozenset[str] = frozenset()
    opened: list[int] = field(default_factory=list)

    def status(self, path: PurePosixPath) -> Status | None:
        """See FileTree."""
        seen = MemoryTree.status(self, PurePosixPath("/", path.name))
        return replace(seen, inode=self.inodes.get(str(path), 0)) if seen else None

    def entries(self, path: PurePosixPath) -> tuple[DirectoryEntry, ...]:
        """See FileTree."""
        own = MemoryTree.entries(self, PurePosixPath("/")) if path.name in {"", "loop"} else ()
        return (*own, DirectoryEntry(name="loop", kind=FileKind.DIRECTORY)) if "loop" in self.files else own

    def open(self, path: PurePosixPath) -> BinaryIO:
        """See FileTree."""
        self.opened.append(1)
        if str(path) in self.unreadable:
            raise OSError(5, "Input/output error")
        return io.BytesIO(self.files[f"/{path.name}"])


def test_a_hard_link_is_told_once() -> None:
    files = {"/a": image(), "/b": image(), "/c": image()}
    assert found(OddTree(files=files, inodes={"/a": 7, "/b": 7})) == ["/a", "/c"]


def test_a_file_that_cannot_be_read_does_not_end_the_search() -> None:
    assert found(OddTree(files={"/a": image(), "/b": image()}, unreadable=frozenset({"/a"}))) == ["/b"]


def test_a_directory_that_contains_itself_comes_to_an_end() -> None:
    tree = OddTree(files={"/a": b"x" * 5000, "loop": b""})
    assert found(tree) == []
    assert len(tree.opened) < 100

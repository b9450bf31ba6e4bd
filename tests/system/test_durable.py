"""Replacing files on real file systems: a full disk, and what GRUB sees, which reads the raw disk and no journal."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

import pytest

from bootrescue.devices.model import Slice
from bootrescue.filesystems.mounting import mount_slice
from bootrescue.host import durable
from bootrescue.host.attributes import Attributes
from bootrescue.host.confined import ConfinedRoot
from bootrescue.host.host import open_host
from bootrescue.host.reading import read_attributes
from bootrescue.host.settle import settle
from tests.builders import MIB, ext4, on_disk, tool, xfs

pytestmark = pytest.mark.root
NAME = PurePosixPath("/boot/initrd.img")
OLD, NEW = b"old content\n", b"new content\n"
MAKERS = {"ext4": ext4, "xfs": xfs}


@contextmanager
def opened(image: Path, kind: str) -> Iterator[Path]:
    with open_host() as host:
        yield mount_slice(host, Slice(path=str(image)), kind, writable=True)


@pytest.fixture(params=MAKERS)
def image(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    tree = on_disk(tmp_path / "tree", {str(NAME): OLD})
    made: Path = MAKERS[request.param](tmp_path / request.param, tree)
    return made


def by_grub(image: Path) -> bytes:
    return tool("grub-fstest", image, "cat", f"(loop0){NAME}").encode()


def test_grub_sees_the_new_content_after_settle_and_not_before(image: Path) -> None:
    with opened(image, image.name) as place:
        durable.replace(ConfinedRoot(path=place), NAME, (NEW,), Attributes())
        assert (place / "boot/initrd.img").read_bytes() == NEW
        assert by_grub(image) == OLD, "nothing needs settling here: the test proves nothing"
        if image.name == "xfs":
            os.sync()
            assert by_grub(image) == OLD
        assert settle(place) is True
        assert by_grub(image) == NEW
        # it can be written to again
        durable.append(ConfinedRoot(path=place), PurePosixPath("/log"), b"line\n")


def test_what_is_mounted_elsewhere_too_is_only_flushed(image: Path, tmp_path: Path) -> None:
    with opened(image, image.name) as place:
        (tmp_path / "elsewhere").mkdir()
        tool("mount", "--bind", place, tmp_path / "elsewhere")
        try:
            assert settle(place) is False
        finally:
            tool("umount", tmp_path / "elsewhere")
        tool("mount", "--bind", place, place / "boot")
        try:
            assert settle(place) is True
        finally:
            tool("umount", place / "boot")
        # a directory on a file system that was mounted further up belongs to whoever mounted that
        assert settle(place / "boot") is False


@pytest.mark.parametrize("size_bytes", [3 * MIB, 30 * MIB])
def test_a_full_disk_leaves_the_old_content_and_nothing_staged(tmp_path: Path, size_bytes: int) -> None:
    image = ext4(tmp_path / "small", on_disk(tmp_path / "tree", {str(NAME): OLD}), size_bytes=2 * MIB)
    with opened(image, "ext4") as place:
        root = ConfinedRoot(path=place)
        before = os.statvfs(place).f_bfree
        with pytest.raises(OSError, match="No space left"):
            durable.replace(root, NAME, (bytes(MIB) for _ in range(size_bytes // MIB)), Attributes())
        assert (place / "boot/initrd.img").read_bytes() == OLD
        assert [path.name for path in (place / "boot").iterdir()] == ["initrd.img"]
        assert os.statvfs(place).f_bfree == before
        durable.replace(root, NAME, (NEW,), Attributes())
        assert (place / "boot/initrd.img").read_bytes() == NEW


def test_attributes_survive_on_real_file_systems(image: Path) -> None:
    with opened(image, image.name) as place:
        root = ConfinedRoot(path=place)
        file = place / "boot/initrd.img"
        os.chown(file, 12, 34)
        file.chmod(0o4711)
        os.setxattr(file, "security.selinux", b"system_u:object_r:boot_t:s0\0")
        os.setxattr(file, "user.note", bytes(range(256)))
        before = read_attributes(root, NAME)
        assert len(before.extended) == 2
        durable.replace(root, NAME, (NEW,), before)
        assert read_attributes(root, NAME) == before

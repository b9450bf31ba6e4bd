"""Through GRUB's eyes: its own code reads the raw disk, and catches what Linux alone would call done."""

import hashlib
import os
from pathlib import Path, PurePosixPath

import pytest

from bootrescue.devices.model import Slice
from bootrescue.filesystems.model import FileSystem
from bootrescue.host.attributes import Attributes
from bootrescue.host.confined import ConfinedRoot
from bootrescue.host.durable import replace
from bootrescue.host.settle import settle
from bootrescue.systems.model import FirmwareMode, InstalledSystem, Mount
from bootrescue.verification.grub_view import grub_view
from bootrescue.verification.model import Outcome
from bootrescue.verification.recheck import recheck
from tests.builders import BOOT_UUID, ext4, memory, on_disk, rw_mounted, tool, xfs

pytestmark = pytest.mark.root
IMAGE = PurePosixPath("/boot/initrd.img")
OLD, NEW = b"old image" * 1000, b"new image" * 1000


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def system_on(image: Path, kind: str) -> InstalledSystem:
    """A system whose /boot is this file."""
    root = FileSystem(uuid="", type="directory", label="", device="/", piece=Slice(path="/"), size_bytes=0)
    boot = FileSystem(
        uuid=BOOT_UUID,
        type=kind,
        label="",
        device=str(image),
        piece=Slice(path=str(image)),
        size_bytes=image.stat().st_size,
    )
    mounts = (
        Mount(mount_point=PurePosixPath("/"), file_system=root),
        Mount(mount_point=PurePosixPath("/boot"), file_system=boot),
    )
    return InstalledSystem(
        id="debian",
        name="Debian",
        version="12",
        machine_id="",
        firmware=FirmwareMode.BIOS,
        mounts=mounts,
        kernels=(),
        problems=(),
        tree=memory({}),
        directory=image.parent,
    )


@pytest.fixture(params=["ext4", "xfs"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def image(kind: str, tmp_path: Path) -> Path:
    tree = on_disk(tmp_path / "tree", {"/initrd.img": OLD, "/grub/grub.cfg": b"set timeout=1\n"})
    return ext4(tmp_path / "boot", tree) if kind == "ext4" else xfs(tmp_path / "boot", tree)


def test_grub_sees_what_lies_there(image: Path, kind: str) -> None:
    found = grub_view(system_on(image, kind), {IMAGE: digest(OLD)})
    assert found.outcome is Outcome.PROVED
    assert str(IMAGE) in found.evidence[0]


def test_grub_sees_another_file(image: Path, kind: str) -> None:
    found = grub_view(system_on(image, kind), {IMAGE: digest(NEW)})
    assert found.outcome is Outcome.FAILED
    assert digest(OLD)[:16] in found.evidence[0]


def test_grub_does_not_find_the_file(image: Path, kind: str) -> None:
    found = grub_view(system_on(image, kind), {PurePosixPath("/boot/gone"): digest(OLD)})
    assert found.outcome is Outcome.FAILED
    assert "cannot read /boot/gone" in found.evidence[0]


def test_a_directory_has_nothing_for_grub(tmp_path: Path) -> None:
    system = system_on(tmp_path, "directory")
    assert grub_view(system, {IMAGE: digest(OLD)}).outcome is Outcome.NOT_POSSIBLE


def test_what_linux_sees_at_once_grub_sees_only_once_it_is_settled(image: Path, kind: str) -> None:
    system = system_on(image, kind)
    with rw_mounted(image) as place:
        root = ConfinedRoot(path=place)
        replace(root, PurePosixPath("/initrd.img"), (NEW,), Attributes())
        if kind == "xfs":
            # On ext4 a sync is enough; XFS leaves the new directory in its journal
            os.sync()
        assert recheck(root, {PurePosixPath("/initrd.img"): digest(NEW)}).outcome is Outcome.PROVED
        if kind == "xfs":
            assert grub_view(system, {IMAGE: digest(NEW)}).outcome is Outcome.FAILED
        assert settle(place)
        assert grub_view(system, {IMAGE: digest(NEW)}).outcome is Outcome.PROVED
    assert tool("grub-fstest", image, "cat", "(loop0)/initrd.img").encode() == NEW

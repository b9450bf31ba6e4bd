"""Mounts that are looked through: nothing replayed, nothing written, nothing left, and nobody else sees them."""

import os
import subprocess
from pathlib import Path

import pytest

from bootrescue.devices.model import Slice
from bootrescue.errors import MachineLacksError
from bootrescue.filesystems.mounting import mount_slice
from bootrescue.host.host import Host, open_host
from bootrescue.host.loop_devices import attach
from bootrescue.host.mount_table import has_mounts_in, is_mount_point
from bootrescue.host.mounts import mounted, overlaid, unmounted
from tests.builders import MIB, ext4, on_disk, power_cut, sha256, sparse, tool, xfs

pytestmark = pytest.mark.root
FILES = {"/etc/name": b"old\n", "/boot/initrd.img": b"image"}


def look(host: Host, image: Path, kind: str, *, writable: bool = False) -> Path:
    return mount_slice(host, Slice(path=str(image)), kind, writable=writable)


def mounts_of_init() -> str:
    return Path("/proc/1/mountinfo").read_text(encoding="utf-8")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return on_disk(tmp_path / "tree", FILES)


@pytest.fixture
def image(tmp_path: Path, tree: Path) -> Path:
    return ext4(tmp_path / "root.ext4", tree)


@pytest.mark.parametrize("kind", ["ext2", "ext3", "ext4"])
def test_every_ext_is_looked_into(tmp_path: Path, tree: Path, kind: str) -> None:
    image = sparse(tmp_path / "image", 8 * MIB)
    tool("mke2fs", "-q", "-F", "-t", kind, "-d", tree, image)
    before = sha256(image)
    with open_host() as host:
        assert (look(host, image, kind) / "etc/name").read_bytes() == b"old\n"
    assert sha256(image) == before


@pytest.mark.parametrize("kind", ["ext4", "xfs"])
def test_a_journal_that_waits_is_not_replayed(tmp_path: Path, tree: Path, kind: str) -> None:
    cut = power_cut(ext4(tmp_path / "image", tree) if kind == "ext4" else xfs(tmp_path / "image", tree))
    before = sha256(cut)
    with open_host() as host:
        seen = look(host, cut, kind)
        assert (seen / "etc/name").read_bytes() == b"old\n"
        assert not (seen / "renamed").exists()
    assert sha256(cut) == before
    with open_host() as host:
        assert (look(host, cut, kind, writable=True) / "renamed").exists(), "the journal was empty: nothing is proved"
    assert sha256(cut) != before


def test_btrfs_is_looked_into(tmp_path: Path, tree: Path) -> None:
    image = sparse(tmp_path / "image", 120 * MIB)
    tool("mkfs.btrfs", "-q", "--rootdir", tree, image)
    before = sha256(image)
    with open_host() as host:
        assert (look(host, image, "btrfs") / "etc/name").read_bytes() == b"old\n"
    assert sha256(image) == before


def test_nothing_on_it_has_effects(tmp_path: Path, image: Path) -> None:
    with open_host() as host:
        place = look(host, image, "ext4", writable=True)
        os.mknod(place / "device", 0o020666, os.makedev(1, 3))
        with pytest.raises(PermissionError):
            (place / "device").read_bytes()
        (place / "program").write_bytes(b"#!/bin/sh\n")
        (place / "program").chmod(0o4755)
        with pytest.raises(PermissionError):
            subprocess.run([place / "program"], check=False)
    assert tmp_path.exists()


def test_nobody_else_sees_a_mount_and_nothing_stays(image: Path) -> None:
    with open_host() as host:
        place = look(host, image, "ext4")
        assert is_mount_point(place)
        assert str(place) not in mounts_of_init()
        work = host.work
    assert not work.exists()
    assert str(image) not in tool("losetup", "--list")


def test_an_exception_gives_everything_back(image: Path) -> None:
    seen: list[Path] = []

    def work() -> None:
        with open_host() as host:
            seen.append(host.work)
            overlaid(host, look(host, image, "ext4") / "etc")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        work()
    assert not seen[0].exists()
    assert not has_mounts_in(seen[0])
    assert str(image) not in tool("losetup", "--list")


def test_a_scope_is_unmounted_in_order_and_its_names_are_not_used_again(image: Path) -> None:
    seen: list[Path] = []

    def part(host: Host) -> None:
        with host.scope() as inner:
            seen.append(look(inner, image, "ext4"))
            mounted(inner, attach(inner, str(image)), "ext4", at=seen[0] / "boot")
            raise RuntimeError

    with open_host() as host:
        with pytest.raises(RuntimeError):
            part(host)
        assert not is_mount_point(seen[0])
        with host.scope() as inner:
            assert look(inner, image, "ext4") != seen[0]


def test_an_overlay_leaves_what_is_below_alone(image: Path) -> None:
    before = sha256(image)
    with open_host() as host:
        view = overlaid(host, look(host, image, "ext4") / "etc")
        (view / "name").write_bytes(b"new")
        (view / "more").write_bytes(b"more")
        assert (view / "name").read_bytes() == b"new"
    assert sha256(image) == before


def test_an_overlay_does_not_need_a_plain_file_system_for_its_changes(
    tmp_path: Path, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The root of a live medium is an overlay, and the working directory lies on it."""
    with open_host() as host:
        live = overlaid(host, tmp_path)
        monkeypatch.setattr("tempfile.tempdir", str(live))
        with open_host() as inner:
            assert inner.work.is_relative_to(live)
            assert (overlaid(inner, tree / "etc") / "name").read_bytes() == b"old\n"


def test_an_overlay_over_a_name_with_a_colon_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a:b").mkdir()
    with open_host() as host, pytest.raises(MachineLacksError, match="character"):
        overlaid(host, tmp_path / "a:b")


def test_a_mount_in_use_is_an_error_and_nothing_is_deleted_through_it(image: Path) -> None:
    seen: list[Path] = []
    users: list[int] = []

    def work() -> None:
        with open_host() as host:
            seen.append(look(host, image, "ext4", writable=True))
            users.append(os.open(seen[0] / "etc/name", os.O_RDONLY))

    with pytest.raises(MachineLacksError, match="could not be unmounted") as caught:
        work()
    place = seen[0]
    assert caught.value.where in {str(place), str(place.parent)}
    assert (place / "etc/name").read_bytes() == b"old\n"
    os.close(users[0])
    unmounted(place)
    assert not is_mount_point(place)


def test_unmounting_now_flushes(image: Path) -> None:
    with open_host() as host:
        place = look(host, image, "ext4", writable=True)
        (place / "etc/name").write_bytes(b"new\n")
        unmounted(place)
        assert (look(host, image, "ext4") / "etc/name").read_bytes() == b"new\n"


def test_what_cannot_be_mounted_says_why(tmp_path: Path) -> None:
    image = sparse(tmp_path / "empty", MIB)
    with open_host() as host:
        with pytest.raises(MachineLacksError, match=r"ext4 file system could not be mounted.*wrong fs type") as caught:
            look(host, image, "ext4")
        assert caught.value.where.startswith("/dev/loop")
        assert caught.value.hint
        with pytest.raises(MachineLacksError, match="no way is known to look into ntfs"):
            look(host, image, "ntfs")


def test_two_copies_of_one_xfs_are_looked_into_side_by_side(tmp_path: Path, tree: Path) -> None:
    image = xfs(tmp_path / "one", tree)
    tool("cp", "--sparse=always", image, tmp_path / "two")
    with open_host() as host:
        for name in ("one", "two"):
            assert (look(host, tmp_path / name, "xfs") / "etc/name").exists()

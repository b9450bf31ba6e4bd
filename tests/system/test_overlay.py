"""The overlay of a boot proof: written to at will, the disk below untouched, and everything given back, errors too."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bootrescue.devices.model import Slice
from bootrescue.errors import MachineLacksError
from bootrescue.filesystems.mounting import mount_slice
from bootrescue.host.host import Host, open_host
from bootrescue.host.mount_table import mount_table
from bootrescue.host.mounts import unmounted
from bootrescue.verification import disk_overlay
from bootrescue.verification.disk_overlay import exported, make_overlay
from tests.builders import ext4, on_disk, power_cut, sha256, tool

pytestmark = pytest.mark.root


@pytest.fixture
def image(tmp_path: Path) -> Path:
    tree = on_disk(tmp_path / "tree", {"/etc/name": b"old\n"})
    return power_cut(ext4(tmp_path / "root,with=odd:name.ext4", tree))


@pytest.fixture
def host() -> Iterator[Host]:
    with open_host() as made:
        yield made


def left_of(overlay: Path) -> list[str]:
    """Daemons that have the overlay open, and mounts and loop devices in its neighbourhood."""
    work = str(overlay.parent.parent)
    commands = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    daemons = [command.decode() for command in commands if work.encode() in command]
    mounts = [str(row.mount_point) for row in mount_table() if str(row.mount_point).startswith(work)]
    loops = [line for line in tool("losetup", "--list", "--noheadings").splitlines() if work in line]
    return [*daemons, *mounts, *loops]


def test_writing_changes_the_overlay_only(image: Path, host: Host) -> None:
    before = sha256(image)
    overlay = make_overlay(host, str(image))
    for turn in range(2):
        with exported(host, overlay) as raw, host.scope() as inside:
            assert Path(raw).stat().st_size == image.stat().st_size
            place = mount_slice(inside, Slice(path=raw), "ext4", writable=True)
            assert (place / "renamed").exists(), "the journal is replayed in the overlay"
            assert (place / "written").exists() == bool(turn), "what was written is kept between two exports"
            (place / "written").write_bytes(b"by a witness")
            unmounted(place)
        assert left_of(overlay) == []
    assert sha256(image) == before


def test_everything_is_given_back_after_an_error(image: Path, host: Host) -> None:
    before = sha256(image)
    overlay = make_overlay(host, str(image))

    def fail() -> None:
        with exported(host, overlay) as raw, host.scope() as inside:
            mount_slice(inside, Slice(path=raw), "ext4", writable=True)
            assert left_of(overlay)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert left_of(overlay) == []
    assert sha256(image) == before


def test_a_disk_that_is_not_there(host: Host, tmp_path: Path) -> None:
    with pytest.raises(MachineLacksError):
        make_overlay(host, str(tmp_path / "gone"))


def test_an_overlay_that_cannot_be_shown(host: Host, tmp_path: Path) -> None:
    broken = tmp_path / "broken.qcow2"
    broken.write_bytes(b"no qcow2")
    with pytest.raises(MachineLacksError, match="cannot be shown"), exported(host, broken):
        pass
    assert left_of(broken) == []


def test_an_export_that_does_not_come_up_in_time(image: Path, host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk_overlay, "EXPORT_SECONDS", 0.0)
    monkeypatch.setattr(disk_overlay, "_is_up", lambda _: False)
    overlay = make_overlay(host, str(image))
    with pytest.raises(MachineLacksError, match="in time"), exported(host, overlay):
        pass
    assert left_of(overlay) == []

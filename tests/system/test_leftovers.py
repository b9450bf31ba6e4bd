"""A process that is killed leaves nothing but an empty directory, and the next start removes that."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bootrescue.host.host import open_host
from bootrescue.host.leftovers import PREFIX, remove_leftovers
from tests.builders import ext4, on_disk, sha256, tool, xfs

TREE = Path(__file__).parent.parent.parent
HOLDER = """
import sys, time
from bootrescue.devices.model import Slice
from bootrescue.filesystems.mounting import mount_slice
from bootrescue.host.host import open_host
with open_host() as host:
    if len(sys.argv) > 1:
        mount_slice(host, Slice(path=sys.argv[1]), "ext4")
    print(host.work, flush=True)
    time.sleep(60)
"""


@contextmanager
def holder(temporary: Path, *arguments: Path) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """Another process that has opened a host; gives it and its working directory."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, *map(str, arguments)],
        cwd=TREE,
        env=os.environ | {"TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield process, Path(process.stdout.readline().strip())
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "tmp"
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))
    return place


def is_attached(image: Path) -> bool:
    """Whether a loop device has it, a moment after its user was killed."""
    for _ in range(50):
        if str(image) not in tool("losetup", "--list"):
            return False
        time.sleep(0.02)
    return True


SETTLER = """
import itertools, sys
from pathlib import PurePosixPath
from bootrescue.devices.model import Slice
from bootrescue.filesystems.mounting import mount_slice
from bootrescue.host.attributes import Attributes
from bootrescue.host.confined import ConfinedRoot
from bootrescue.host.durable import replace
from bootrescue.host.host import open_host
from bootrescue.host.settle import settle
with open_host() as host:
    place = mount_slice(host, Slice(path=sys.argv[1]), sys.argv[2], writable=True)
    for turn in itertools.count():
        replace(ConfinedRoot(path=place), PurePosixPath("/file"), (bytes([turn % 256]) * 4_000_000,), Attributes())
        assert settle(place)
        print(turn, flush=True)
"""


@pytest.mark.root
@pytest.mark.parametrize("kind", ["ext4", "xfs"])
def test_killed_while_it_settles_nothing_stays_frozen(kind: str, tmp_path: Path) -> None:
    """A frozen file system would outlive its process and keep its loop device until the machine is restarted."""
    makers = {"ext4": ext4, "xfs": xfs}
    image = makers[kind](tmp_path / "image", on_disk(tmp_path / "tree", {"/etc/name": b"x"}))
    for turn in range(8):
        process = subprocess.Popen([sys.executable, "-c", SETTLER, image, kind], cwd=TREE, stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.013 * turn)
        process.kill()
        process.wait()
        process.stdout.close()
        assert not is_attached(image), f"killed {turn} times"


@pytest.mark.root
def test_killed_while_it_looks(tmp_path: Path, temporary: Path) -> None:
    image = ext4(tmp_path / "image", on_disk(tmp_path / "tree", {"/etc/name": b"x"}))
    before = sha256(image)
    with holder(temporary, image) as (process, work):
        assert is_attached(image)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert not is_attached(image)
    assert str(work) not in Path("/proc/1/mountinfo").read_text(encoding="utf-8")
    assert work.is_dir()
    with open_host() as host:
        assert not work.exists()
        assert host.work.exists()
    assert list(temporary.iterdir()) == []
    assert sha256(image) == before


def test_what_is_in_use_stays(temporary: Path) -> None:
    with holder(temporary) as (_process, work):
        remove_leftovers()
        assert work.is_dir()
    remove_leftovers()
    assert not work.exists()


def test_what_is_not_ours_stays(temporary: Path, tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious/file").write_bytes(b"x")
    (temporary / f"{PREFIX}abcdefgh").symlink_to(tmp_path / "precious")
    (temporary / f"{PREFIX}12345678").write_bytes(b"a file")
    for name in ("bootrescue-lab-abcdefgh", f"{PREFIX}abcdefgh.bak", f"x{PREFIX}abcdefgh", f"{PREFIX}abc"):
        (temporary / name).mkdir()
    before = sorted(temporary.iterdir())
    remove_leftovers()
    assert sorted(temporary.iterdir()) == before
    assert (tmp_path / "precious/file").exists()


@pytest.mark.root
def test_what_belongs_to_somebody_else_stays(temporary: Path) -> None:
    other = temporary / f"{PREFIX}abcdefgh"
    other.mkdir()
    os.chown(other, 1234, 1234)
    remove_leftovers()
    assert other.exists()


@pytest.mark.root
def test_where_something_is_mounted_stays(temporary: Path) -> None:
    with open_host():
        other = temporary / f"{PREFIX}abcdefgh"
        (other / "001-mount").mkdir(parents=True)
        tool("mount", "-t", "tmpfs", "none", other / "001-mount")
        (other / "001-mount/precious").write_bytes(b"x")
        remove_leftovers()
        assert (other / "001-mount/precious").exists()
        tool("umount", other / "001-mount")
        remove_leftovers()
        assert not other.exists()

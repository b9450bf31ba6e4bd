"""Old or new and never other: whatever stops a replacement, and wherever."""

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from bootrescue.errors import BadInputError, RefusedError
from bootrescue.host import durable
from bootrescue.host.attributes import Attributes
from bootrescue.host.confined import ConfinedRoot
from bootrescue.host.reading import digest_of, read_attributes

NAME = PurePosixPath("/boot/initrd.img")
OLD, NEW = b"old content", b"new content, longer than the old"
MINE = Attributes(mode=0o640, owner=os.geteuid(), group=os.getegid())


@pytest.fixture
def root(tmp_path: Path) -> ConfinedRoot:
    (tmp_path / "boot").mkdir()
    (tmp_path / "boot/initrd.img").write_bytes(OLD)
    return ConfinedRoot(path=tmp_path)


def boot(root: ConfinedRoot) -> Path:
    return root.path / "boot"


def names(root: ConfinedRoot) -> list[str]:
    return sorted(path.name for path in boot(root).iterdir())


def test_bytes_and_attributes_are_as_asked_for(root: ConfinedRoot) -> None:
    old = boot(root) / "initrd.img"
    os.utime(old, ns=(1, 1_600_000_000_123_456_789))
    old.chmod(0o4751)
    os.setxattr(old, "user.label", b"kept")
    attributes = read_attributes(root, NAME)
    digest = durable.replace(root, NAME, (NEW[:5], b"", NEW[5:]), attributes)
    assert (boot(root) / "initrd.img").read_bytes() == NEW
    assert digest == digest_of(root, NAME)
    assert read_attributes(root, NAME) == attributes
    assert attributes.mode == 0o4751
    assert attributes.modified_ns == 1_600_000_000_123_456_789
    assert ("user.label", b"kept") in attributes.extended
    assert names(root) == ["initrd.img"]


@pytest.mark.root
def test_the_owner_is_kept(root: ConfinedRoot) -> None:
    os.chown(boot(root) / "initrd.img", 1234, 5678)
    durable.replace(root, NAME, (NEW,), read_attributes(root, NAME))
    status = (boot(root) / "initrd.img").stat()
    assert (status.st_uid, status.st_gid) == (1234, 5678)


def test_a_hard_link_keeps_the_old_content(root: ConfinedRoot) -> None:
    (boot(root) / "kept").hardlink_to(boot(root) / "initrd.img")
    durable.replace(root, NAME, (NEW,), MINE)
    assert (boot(root) / "kept").read_bytes() == OLD
    assert (boot(root) / "initrd.img").read_bytes() == NEW


def test_links_on_the_way_are_followed_inside_only(root: ConfinedRoot) -> None:
    (root.path / "etc").mkdir()
    (root.path / "etc/way").symlink_to("/../../boot")
    durable.replace(root, PurePosixPath("/etc/way/initrd.img"), (NEW,), MINE)
    assert (boot(root) / "initrd.img").read_bytes() == NEW


def put_link(path: Path) -> None:
    path.symlink_to("initrd.img")


def put_dangling_link(path: Path) -> None:
    path.symlink_to("nowhere")


PUTS: dict[str, Callable[[Path], None]] = {
    "link": put_link,
    "dangling link": put_dangling_link,
    "fifo": os.mkfifo,
    "directory": Path.mkdir,
}


@pytest.mark.parametrize("kind", PUTS)
def test_only_a_file_is_replaced_or_appended_to(root: ConfinedRoot, kind: str) -> None:
    PUTS[kind](boot(root) / "odd")
    name = PurePosixPath("/boot/odd")
    before = names(root)
    with pytest.raises(BadInputError, match="link or a special file") as caught:
        durable.replace(root, name, (NEW,), MINE)
    assert caught.value.where == "/boot/odd"
    with pytest.raises(BadInputError, match="link or a special file"):
        durable.append(root, name, b"line\n")
    assert names(root) == before
    assert (boot(root) / "initrd.img").read_bytes() == OLD


def test_other_bytes_than_expected_are_refused_and_leave_the_old(root: ConfinedRoot) -> None:
    with pytest.raises(RefusedError, match="not what was expected"):
        durable.replace(root, NAME, (NEW,), MINE, expect_sha256="0" * 64)
    assert (boot(root) / "initrd.img").read_bytes() == OLD
    assert names(root) == ["initrd.img"]


@pytest.mark.parametrize("failure", [OSError(errno.EIO, "I/O error"), ValueError("bad stream"), KeyboardInterrupt()])
def test_a_source_that_fails_leaves_the_old(root: ConfinedRoot, failure: BaseException) -> None:
    def chunks() -> Iterator[bytes]:
        yield NEW[:4]
        raise failure

    with pytest.raises(type(failure)):
        durable.replace(root, NAME, chunks(), MINE)
    assert (boot(root) / "initrd.img").read_bytes() == OLD
    assert names(root) == ["initrd.img"]


# --- a power cut at every step --------------------------------------------------------------------------------------


class PowerCut(BaseException):
    """The machine is gone."""


ACTS = ("write", "fsync", "rename", "unlink", "fchmod", "fchown", "utime", "setxattr", "open", "mkdir", "ftruncate")


def count_and_cut(monkeypatch: pytest.MonkeyPatch, at: int) -> list[str]:
    """Let the machine lose its power at the so-manieth act; from then on nothing works any more."""
    done: list[str] = []
    for act in ACTS:
        real = getattr(os, act)

        def counted(*args: Any, _act: str = act, _real: Callable[..., Any] = real, **named: Any) -> object:  # noqa: ANN401
            done.append(_act)
            if len(done) >= at:
                raise PowerCut
            return _real(*args, **named)

        monkeypatch.setattr(os, act, counted)
    return done


def acts_of(monkeypatch: pytest.MonkeyPatch, change: Callable[[], object]) -> list[str]:
    with monkeypatch.context() as patched:
        done = count_and_cut(patched, 10_000)
        change()
    return done


def test_a_power_cut_at_any_step_leaves_old_or_new(root: ConfinedRoot, monkeypatch: pytest.MonkeyPatch) -> None:
    attributes = Attributes(mode=0o600, owner=os.geteuid(), group=os.getegid(), modified_ns=5)

    def change() -> None:
        durable.replace(root, NAME, (NEW[:7], NEW[7:]), attributes)

    acts = acts_of(monkeypatch, change)
    assert acts.count("write") == 2
    # the content reaches the disk before the name, the name before the answer
    assert acts.index("fsync") < acts.index("rename") < len(acts) - 1
    assert acts[-1] == "fsync"
    seen = set()
    for step in range(1, len(acts) + 1):
        (boot(root) / "initrd.img").write_bytes(OLD)
        with monkeypatch.context() as patched:
            count_and_cut(patched, step)
            with pytest.raises(PowerCut):
                change()
        found = (boot(root) / "initrd.img").read_bytes()
        assert found in {OLD, NEW}, f"step {step}: {acts[step - 1]}"
        seen.add(found)
        durable.discard_staged(root, PurePosixPath("/boot"))
        assert names(root) == ["initrd.img"]
    assert seen == {OLD, NEW}


def test_a_power_cut_while_appending_leaves_whole_lines_for_the_next(
    root: ConfinedRoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = PurePosixPath("/boot/journal")
    journal = boot(root) / "journal"
    for torn in range(len(b"second\n") + 1):
        journal.write_bytes(b"first\n" + b"second\n"[:torn])
        durable.append(root, name, b"third\n")
        kept = b"second\n" if torn == len(b"second\n") else b""
        assert journal.read_bytes() == b"first\n" + kept + b"third\n"
    acts = acts_of(monkeypatch, lambda: durable.append(root, name, b"x\n"))
    assert acts[-3:] == ["write", "fsync", "fsync"]


def test_a_line_that_does_not_fit_leaves_nothing_of_it(root: ConfinedRoot, monkeypatch: pytest.MonkeyPatch) -> None:
    name = PurePosixPath("/boot/journal")
    durable.append(root, name, b"first\n")
    real = os.write
    room = [3]

    def full(descriptor: int, data: Any) -> int:  # noqa: ANN401
        if not room:
            raise OSError(errno.ENOSPC, "no space")
        return real(descriptor, data[: room.pop()])

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="no space"):
        durable.append(root, name, b"second\n")
    assert (boot(root) / "journal").read_bytes() == b"first\n"


# --- the rest -------------------------------------------------------------------------------------------------------


def test_removing_what_is_gone_is_fine(root: ConfinedRoot) -> None:
    durable.remove(root, NAME)
    durable.remove(root, NAME)
    durable.remove(root, PurePosixPath("/no/such/place"))
    assert names(root) == []


def test_directories_are_made_private_and_once(root: ConfinedRoot) -> None:
    (root.path / "var").mkdir(mode=0o755)
    durable.make_directories(root, PurePosixPath("/var/lib/bootrescue/a"))
    durable.make_directories(root, PurePosixPath("/var/lib/bootrescue/a"))
    assert (root.path / "var").stat().st_mode & 0o777 == 0o755
    assert (root.path / "var/lib/bootrescue/a").stat().st_mode & 0o777 == 0o700

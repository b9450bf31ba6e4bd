"""No way out of a root, and nothing in it is opened that has effects."""

import os
import socket
from pathlib import Path, PurePosixPath

import pytest

from bootrescue.errors import BadInputError
from bootrescue.host.confined import ConfinedRoot


@pytest.fixture
def root(tmp_path: Path) -> ConfinedRoot:
    (tmp_path / "outside").write_bytes(b"outside")
    inside = tmp_path / "root"
    (inside / "etc").mkdir(parents=True)
    (inside / "outside").write_bytes(b"inside")
    return ConfinedRoot(path=inside)


def content(root: ConfinedRoot, name: str) -> bytes:
    descriptor = root.open(name)
    with os.fdopen(descriptor, "rb") as stream:
        return stream.read()


@pytest.mark.parametrize(
    "target",
    ["/outside", "../outside", "../../../outside", "/../outside", "/etc/../../outside", "./../etc/.././outside"],
)
def test_a_link_leads_to_what_the_target_itself_would_see(root: ConfinedRoot, target: str) -> None:
    (root.path / "etc/link").symlink_to(target)
    assert content(root, "/etc/link") == b"inside"
    assert root.real_name("/etc/link") == PurePosixPath("/outside")
    assert root.here("/etc/link") == root.path / "outside"


@pytest.mark.parametrize("name", ["/../outside", "../outside", "/etc/../../outside", "outside"])
def test_dots_do_not_lead_out(root: ConfinedRoot, name: str) -> None:
    assert content(root, name) == b"inside"


def test_a_chain_of_links_is_followed_inside(root: ConfinedRoot) -> None:
    (root.path / "a").symlink_to("/b/outside")
    (root.path / "b").symlink_to("/../../..")
    assert content(root, "/a") == b"inside"


def test_the_root_itself_may_be_reached_by_a_link(root: ConfinedRoot, tmp_path: Path) -> None:
    (tmp_path / "alias").symlink_to(root.path)
    alias = ConfinedRoot(path=tmp_path / "alias")
    assert content(alias, "/outside") == b"inside"
    assert alias.real_name("/etc") == PurePosixPath("/etc")


def test_a_loop_of_links_is_an_error(root: ConfinedRoot) -> None:
    (root.path / "a").symlink_to("/b")
    (root.path / "b").symlink_to("/a")
    with pytest.raises(OSError, match="symbolic links"):
        root.open("/a")


def test_magic_links_of_proc_are_not_followed(root: ConfinedRoot) -> None:
    proc = ConfinedRoot(path=Path("/proc/self"))
    with pytest.raises(OSError, match="symbolic links"):
        proc.open("/root/etc/hostname")
    assert content(root, "/outside") == b"inside"


def test_a_fifo_is_refused_without_waiting(root: ConfinedRoot) -> None:
    os.mkfifo(root.path / "fifo")
    with pytest.raises(BadInputError, match="neither a file nor a directory") as caught:
        root.open("/fifo")
    assert caught.value.where == "/fifo"


def test_a_socket_is_refused(root: ConfinedRoot) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(root.path / "socket"))
        with pytest.raises(BadInputError, match="neither a file"):
            root.open("/socket")


@pytest.mark.root
def test_a_device_is_refused_and_never_opened(root: ConfinedRoot) -> None:
    # no driver has this number: an open would say ENXIO, a refusal does not ask
    os.mknod(root.path / "device", 0o020600, os.makedev(240, 77))
    with pytest.raises(BadInputError, match="neither a file"):
        root.open("/device")


@pytest.mark.parametrize("name", [b"/\xff\xfe", b"/new\nline", b"/" + b"x" * 255, b"/ -rf"])
def test_odd_names_are_names(root: ConfinedRoot, name: bytes) -> None:
    with open(os.fsencode(root.path) + name, "wb") as file:  # noqa: PTH123 -- a name in bytes
        file.write(b"odd")
    assert content(root, os.fsdecode(name)) == b"odd"
    assert os.fsencode(str(root.real_name(os.fsdecode(name)))) == name


@pytest.mark.parametrize("name", ["/outside\0.bak", "/\0", "/\ud800"])
def test_a_name_that_no_file_can_have_is_not_there(root: ConfinedRoot, name: str) -> None:
    (root.path / "outside").write_bytes(b"must not be read under a longer name")
    with pytest.raises(FileNotFoundError):
        root.open(name)


def test_directories_and_their_kind(root: ConfinedRoot) -> None:
    os.close(root.open("/etc", os.O_RDONLY | os.O_DIRECTORY))
    with pytest.raises(NotADirectoryError):
        root.open("/outside", os.O_RDONLY | os.O_DIRECTORY)


@pytest.mark.parametrize("name", ["/", "/etc/..", "", "/a\0b"])
def test_a_parent_is_given_for_names_of_files_only(root: ConfinedRoot, name: str) -> None:
    with pytest.raises(BadInputError, match="is no name of a file"), root.parent_of(name):
        pass


def test_no_descriptor_is_left_open(root: ConfinedRoot) -> None:
    os.mkfifo(root.path / "fifo")
    before = len(list(Path("/proc/self/fd").iterdir()))
    for name in ("/outside", "/fifo", "/missing", "/etc"):
        try:
            os.close(root.open(name))
        except (OSError, BadInputError):
            continue
    root.real_name("/etc")
    with root.parent_of("/outside"):
        pass
    assert len(list(Path("/proc/self/fd").iterdir())) == before

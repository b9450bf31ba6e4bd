"""Installed systems on real disks: found with all that belongs to them, and nothing is written on the way."""

import os
from pathlib import Path, PurePosixPath

import pytest

from bootrescue.devices.model import Source
from bootrescue.errors import BadInputError, DecisionNeededError, MachineLacksError, UsageError
from bootrescue.filesystems.tree import read_bytes
from bootrescue.host.host import Host, open_host
from bootrescue.operations.scan import scan
from bootrescue.operations.targets import NoSystemError, View, choose_system, look
from bootrescue.systems.discover import reopen
from bootrescue.systems.model import FirmwareMode
from tests.builders import (
    BOOT_UUID,
    MIB,
    ROOT_UUID,
    XFS_BYTES,
    attached,
    debian,
    debian_disk,
    ext4,
    make_disk,
    on_disk,
    power_cut,
    sha256,
    sparse,
    tool,
    xfs,
)

FSTAB = f"UUID={ROOT_UUID} / ext4 defaults 0 1\nUUID={BOOT_UUID} /boot xfs defaults 0 2\n"


def images(*paths: Path) -> Source:
    return Source(images=tuple(str(path) for path in paths))


def split_disk(directory: Path, *, dirty: bool = False) -> Path:
    """An MBR disk with an XFS /boot of its own and an ext4 root."""
    files = debian(fstab=FSTAB)
    boot_files = {name.removeprefix("/boot"): content for name, content in files.items() if name.startswith("/boot/")}
    root_files = {name: content for name, content in files.items() if not name.startswith("/boot/")}
    boot = xfs(directory / "boot.xfs", on_disk(directory / "boot", boot_files))
    root = ext4(directory / "root.ext4", on_disk(directory / "root", root_files | {"/boot/below": b""}))
    parts = {1: power_cut(boot), 2: power_cut(root)} if dirty else {1: boot, 2: root}
    table = f"label: dos\nsize={XFS_BYTES // MIB}M\nsize=16M\n"
    return make_disk(directory / "disk.raw", table, parts, XFS_BYTES + 20 * MIB)


@pytest.mark.root
@pytest.mark.parametrize("dirty", [False, True])
def test_boot_of_its_own_is_at_its_place_and_nothing_is_written(tmp_path: Path, *, dirty: bool) -> None:
    disk = split_disk(tmp_path, dirty=dirty)
    before = sha256(disk)
    with open_host() as host:
        view = look(host, images(disk))
        system = choose_system(view, "")
        assert (system.name, system.version) == ("Debian GNU/Linux 12", "12")
        assert [str(mount.mount_point) for mount in system.mounts] == ["/", "/boot"]
        boot = system.file_system_at("/boot")
        assert boot is not None
        assert (boot.device, boot.type) == (f"{disk}#1", "xfs")
        assert system.mount_of(PurePosixPath("/boot/grub")).file_system == boot
        assert system.tree.status(PurePosixPath("/boot/below")) is None
        assert [str(kernel.image) for kernel in system.kernels] == ["/boot/vmlinuz-6.1.0-18-amd64"]
        assert system.firmware is FirmwareMode.BIOS
        assert system.problems == ()
    with open_host() as host:
        scan(host, images(disk))
    assert sha256(disk) == before


@pytest.mark.root
@pytest.mark.parametrize("dirty", [False, True])
def test_a_scan_writes_nothing_to_ext4(tmp_path: Path, *, dirty: bool) -> None:
    root = ext4(tmp_path / "root", on_disk(tmp_path / "tree", debian()))
    disk = power_cut(root) if dirty else root
    before = sha256(disk)
    with open_host() as host:
        assert len(scan(host, images(disk)).systems) == 1
    assert sha256(disk) == before


@pytest.mark.root
def test_reopened_for_writing_only_where_asked(tmp_path: Path) -> None:
    disk = split_disk(tmp_path)
    with open_host() as host:
        with host.scope() as looking:
            system = choose_system(look(looking, images(disk)), "")
        with host.scope() as writing:
            opened = reopen(writing, system, frozenset({f"{disk}#1"}))
            (opened.directory / "boot/new").write_bytes(b"x")
            with pytest.raises(OSError, match="Read-only"):
                (opened.directory / "new").write_bytes(b"x")


BROKEN_FSTAB = f"""# comment
UUID={ROOT_UUID} / ext4 defaults 0 1
UUID=dead-beef /srv ext4 defaults 0 2
UUID={BOOT_UUID} /boot xfs defaults 0 2
UUID={BOOT_UUID} //boot auto defaults 0 2
UUID={ROOT_UUID} /missing ext4 defaults 0 2
UUID={ROOT_UUID} /etc/fstab ext4 defaults 0 2
UUID={ROOT_UUID} /nul\\000x ext4 defaults 0 2
UUID=cafe-cafe /media ext4 noauto 0 0
/dev/sr0 /media/cdrom udf,iso9660 noauto 0 0
tmpfs /tmp tmpfs defaults 0 0
UUID=none none swap sw 0 0
broken
"""


@pytest.mark.root
def test_lines_that_cannot_be_followed_are_told_and_the_rest_goes_on(tmp_path: Path) -> None:
    disk = tmp_path / "root"
    ext4(disk, on_disk(tmp_path / "tree", debian(fstab=BROKEN_FSTAB)))
    other = xfs(tmp_path / "boot", on_disk(tmp_path / "boot-tree", {"/here": b"x"}))
    with open_host() as host:
        system = choose_system(look(host, images(disk, other)), "")
        assert system.tree.status(PurePosixPath("/boot/here")) is not None
    told = "\n".join(system.problems)
    assert "line 3: /srv was not looked into: UUID=dead-beef names nothing that was found" in told
    assert "line 5: /boot was not looked into: an earlier line has this mount point" in told
    assert "line 6: /missing was not looked into" in told
    assert "line 7: /etc/fstab was not looked into" in told
    assert "line 8: /nul\0x was not looked into" in told
    assert "line 13" in told
    assert len(system.problems) == 6


@pytest.mark.root
@pytest.mark.parametrize("target", ["/srv/boot", "/../../../srv/boot", "../srv/boot"])
def test_boot_may_be_a_link_but_leads_nowhere_else(tmp_path: Path, target: str) -> None:
    files = {name: content for name, content in debian(fstab=FSTAB).items() if not name.startswith("/boot/")}
    tree = on_disk(tmp_path / "tree", files | {"/srv/boot/below": b""})
    (tree / "boot").symlink_to(target)
    boot = xfs(tmp_path / "boot", on_disk(tmp_path / "boot-tree", {"/here": b"x"}))
    with open_host() as host:
        system = choose_system(look(host, images(ext4(tmp_path / "root", tree), boot)), "")
        assert system.problems == ()
        assert system.tree.status(PurePosixPath("/srv/boot/here")) is not None
        assert not Path("/srv/boot").exists()


@pytest.mark.root
def test_boot_as_a_link_to_outside_is_told(tmp_path: Path) -> None:
    files = {name: content for name, content in debian(fstab=FSTAB).items() if not name.startswith("/boot/")}
    tree = on_disk(tmp_path / "tree", files)
    (tree / "boot").symlink_to(tmp_path)
    boot = xfs(tmp_path / "boot")
    with open_host() as host:
        system = choose_system(look(host, images(ext4(tmp_path / "root", tree), boot)), "")
        assert system.problems[0].startswith("/etc/fstab line 2: /boot was not looked into: [Errno 2]")


@pytest.mark.root
def test_os_release_on_a_usr_of_its_own(tmp_path: Path) -> None:
    files = debian(fstab=f"UUID={ROOT_UUID} / ext4 defaults\nLABEL=usr /usr ext4 defaults\n")
    text = files.pop("/etc/os-release")
    tree = on_disk(tmp_path / "tree", files)
    (tree / "etc/os-release").symlink_to("../usr/lib/os-release")
    usr = ext4(tmp_path / "usr", on_disk(tmp_path / "usr-tree", {"/lib/os-release": text}), uuid=BOOT_UUID)
    tool("e2label", usr, "usr")
    with open_host() as host:
        assert choose_system(look(host, images(ext4(tmp_path / "root", tree), usr)), "").name == "Debian GNU/Linux 12"


@pytest.mark.root
def test_two_copies_of_a_system_have_two_names(tmp_path: Path) -> None:
    disk = debian_disk(tmp_path)
    copy = tmp_path / "copy.raw"
    tool("cp", "--sparse=always", disk, copy)
    with open_host() as host:
        view = look(host, images(disk, copy))
        assert [system.id for system in view.systems] == ["debian-1f0c2a9b", "debian-1f0c2a9b-2"]
        with pytest.raises(DecisionNeededError):
            choose_system(view, "")
        assert choose_system(view, "debian-1f0c2a9b-2").root.device == f"{copy}#1"


@pytest.mark.root
def test_one_damaged_file_system_does_not_hide_the_others(tmp_path: Path) -> None:
    good = ext4(tmp_path / "good", on_disk(tmp_path / "tree", debian()))
    hostile = ext4(tmp_path / "hostile", on_disk(tmp_path / "tree2", debian() | {"/etc/fstab": b"#" * (17 * MIB)}),
                   uuid=BOOT_UUID, size_bytes=32 * MIB)  # fmt: skip
    torn = ext4(tmp_path / "torn", uuid=BOOT_UUID)
    with torn.open("r+b") as file:
        file.seek(2048)
        file.write(b"\xff" * 4096)
    with open_host() as host:
        view = look(host, images(hostile, torn, good))
    assert [system.root.device for system in view.systems] == [str(good)]
    assert any("hostile" in line and "is larger than" in line for line in view.unread)
    assert any("torn" in line and "could not be mounted" in line for line in view.unread)


@pytest.mark.root
def test_no_system(tmp_path: Path) -> None:
    with open_host() as host, pytest.raises(NoSystemError, match="no installed Linux system"):
        choose_system(look(host, images(ext4(tmp_path / "data"))), "")


def disk_view(host: Host, *names: str) -> View:
    return look(host, Source(disks=names))


@pytest.mark.root
def test_a_disk_by_its_device(tmp_path: Path) -> None:
    image = debian_disk(tmp_path)
    before = sha256(image)
    with attached(image, "--read-only") as device:
        link = tmp_path / "by-id"
        link.symlink_to(device)
        with open_host() as host:
            view = disk_view(host, str(link), str(link))
            (disk,) = view.devices
            assert (disk.path, disk.size_bytes) == (device, 20 * MIB)
            assert disk.children[0].path == f"{device}p1"
            assert choose_system(view, "").root.device == f"{device}p1"
    assert sha256(image) == before


@pytest.mark.root
def test_what_is_no_disk_by_its_device(tmp_path: Path) -> None:
    with open_host() as host:
        with pytest.raises(UsageError, match="there is no such disk"):
            disk_view(host, "/dev/nothing")
        with pytest.raises(UsageError, match="is not a block device"):
            disk_view(host, "/dev/null")
        with attached(debian_disk(tmp_path)) as device:
            tool("partx", "--add", device)
            try:
                with pytest.raises(UsageError, match="is a partition") as caught:
                    disk_view(host, f"{device}p1")
                assert caught.value.hint == f"give the whole disk: --disk {device}"
            finally:
                tool("partx", "--delete", device)


@pytest.mark.root
def test_every_disk_leaves_out_what_this_machine_runs_from() -> None:
    with open_host() as host:
        try:
            view = look(host, Source())
        except MachineLacksError as error:
            assert "this machine uses it: " in error.where  # noqa: PT017 -- either answer is right here
            return
    root = Path("/").stat().st_dev
    used = [disk.path for disk in view.devices if disk.left_out]
    assert all(os.stat(found.piece.path).st_rdev != root for found in view.file_systems)  # noqa: PTH116
    assert used
    assert all(name in "\n".join(view.unread) for name in used)


def test_a_directory_needs_no_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    tree = on_disk(tmp_path / "tree", debian())
    (tree / "etc/os-release").unlink()
    (tree / "etc/os-release").symlink_to("/usr/lib/os-release")
    on_disk(tree, {"/usr/lib/os-release": b"ID=odd\n"})
    with open_host() as host:
        system = choose_system(look(host, Source(root=str(tree))), "")
        assert system.id == "odd-01234567"
        assert read_bytes(system.tree, PurePosixPath("/etc/os-release")) == b"ID=odd\n"
        with pytest.raises(UsageError, match="no such directory"):
            look(host, Source(root=str(tmp_path / "missing")))
        with pytest.raises(BadInputError, match="holds no installed system"):
            look(host, Source(root=str(tmp_path)))
        with pytest.raises(MachineLacksError, match="needs root"):
            look(host, images(sparse(tmp_path / "disk", 2 * MIB)))

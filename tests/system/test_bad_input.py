"""Bad input at the command line: each kind has its code and a message that tells what, where and what to do."""

import os
from contextlib import suppress
from pathlib import Path

import pytest

from tests.builders import MIB, ROOT_UUID, debian, debian_disk, ext4, make_disk, on_disk, sha256, sparse
from tests.lab.breaks import truncate
from tests.lab.machine import installed_system
from tests.system.command_line import bootrescue, content_digest, lab_copy, refusal

pytestmark = pytest.mark.root
LOOKING = ("scan", "backups", "diagnose", "plan", "verify", "history")


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    return debian_disk(tmp_path)


@pytest.mark.parametrize("command", ["scan", "diagnose", "rollback"])
def test_a_file_that_is_no_disk(command: str, tmp_path: Path) -> None:
    text = tmp_path / "letter.txt"
    text.write_text("Dear operator,\n" * 1000, encoding="utf-8")
    error = refusal(8, command, "--image", text, *(["--yes"] if command == "rollback" else []))
    assert error["where"] == str(text)


def test_an_empty_file(tmp_path: Path) -> None:
    assert refusal(8, "scan", "--image", sparse(tmp_path / "empty", 0))["where"].endswith("empty")


def test_an_unreadable_partition_table(disk: Path) -> None:
    """Both copies of the GPT are damaged: the header says GPT, and no sum is right."""
    with disk.open("r+b") as stream:
        for offset in (512 + 16, disk.stat().st_size - 512 + 16):
            stream.seek(offset)
            stream.write(b"\xff\xff\xff\xff")
    before = sha256(disk)
    error = refusal(8, "diagnose", "--image", disk)
    assert error["where"] == str(disk)
    assert sha256(disk) == before


def test_a_missing_file(tmp_path: Path) -> None:
    gone = tmp_path / "gone.raw"
    error = refusal(2, "scan", "--image", gone)
    assert error["where"] == str(gone)


@pytest.mark.parametrize("command", ["diagnose", "backups", "rollback"])
def test_no_system_found(command: str, tmp_path: Path) -> None:
    data = ext4(tmp_path / "data.ext4", on_disk(tmp_path / "tree", {"/photos/cat.jpg": b"meow"}))
    disk = make_disk(tmp_path / "disk.raw", "label: gpt\nsize=16M\n", {1: data}, 20 * MIB)
    error = refusal(1, command, "--image", disk, *(["--yes"] if command == "rollback" else []))
    assert "no installed Linux system" in error["what"]
    assert str(disk) in error["where"]
    assert "scan" in error["hint"]


def test_two_systems_found(tmp_path: Path) -> None:
    other = "aaaaaaaa-5d0e-4b39-9a31-0e1d6a3c7f10"
    one = ext4(tmp_path / "one.ext4", on_disk(tmp_path / "one", debian()))
    fstab = f"UUID={other} / ext4 defaults 0 1\n"
    two = ext4(tmp_path / "two.ext4", on_disk(tmp_path / "two", debian(fstab=fstab)), uuid=other)
    disk = make_disk(tmp_path / "disk.raw", "label: gpt\nsize=16M\nsize=16M\n", {1: one, 2: two}, 40 * MIB)
    before = sha256(disk)
    error = refusal(3, "rollback", "--image", disk, "--yes")
    assert f"debian-{ROOT_UUID[:8]}" in error["what"]
    assert "debian-aaaaaaaa" in error["what"]
    assert "--system" in error["hint"]
    assert sha256(disk) == before
    assert bootrescue("history", "--image", disk, "--system", "debian-aaaaaaaa").code == 0
    assert refusal(2, "history", "--image", disk, "--system", "debian-ffffffff")["where"] == "debian-ffffffff"


def test_no_candidate_that_fits(tmp_path: Path) -> None:
    machine = lab_copy("debian", tmp_path)
    truncate(machine)
    with installed_system(machine) as root:
        (root / machine.backup.lstrip("/")).unlink()
    before = content_digest(machine.disk)
    error = refusal(1, "rollback", "--image", machine.disk, "--yes")
    assert "no backup image is proved to fit" in error["what"]
    assert "bootrescue backups" in error["hint"]
    assert content_digest(machine.disk) == before


def test_boot_without_space_for_the_image(tmp_path: Path) -> None:
    """el7 with /boot of its own, filled up; and no room for what is kept of it on the root."""
    machine = lab_copy("el7", tmp_path)
    truncate(machine)
    with installed_system(machine) as root:
        _fill(root / "boot", leave_bytes=2 * MIB)
    before = content_digest(machine.disk)
    error = refusal(7, "rollback", "--image", machine.disk, "--yes")
    assert error["where"] == "/boot"
    assert "bytes are needed" in error["what"]
    assert "are free" in error["what"]
    assert "--remedy point-entry" in error["hint"]
    assert content_digest(machine.disk) == before


def test_root_without_space_for_the_backups(tmp_path: Path) -> None:
    machine = lab_copy("el7", tmp_path)
    truncate(machine)
    with installed_system(machine) as root:
        _fill(root, leave_bytes=2 * MIB)
    before = content_digest(machine.disk)
    error = refusal(7, "rollback", "--image", machine.disk, "--yes")
    assert error["where"] in {"/var/lib", "/var/lib/bootrescue"}
    assert "bytes are needed" in error["what"]
    assert content_digest(machine.disk) == before


def _fill(directory: Path, leave_bytes: int) -> None:
    """Take all room but a little; the file's blocks are reserved and hold nothing."""
    descriptor = os.open(directory / "ballast", os.O_WRONLY | os.O_CREAT)
    try:
        for step in (64 * MIB, 4 * MIB, MIB):
            with suppress(OSError):
                while _free_bytes(descriptor) > leave_bytes + step:
                    os.posix_fallocate(descriptor, os.fstat(descriptor).st_size, step)
    finally:
        os.close(descriptor)


def _free_bytes(descriptor: int) -> int:
    figures = os.fstatvfs(descriptor)
    return figures.f_bfree * figures.f_frsize


@pytest.mark.parametrize("command", [*LOOKING, "rollback"])
def test_no_root_privilege(command: str, disk: Path) -> None:
    error = refusal(7, command, "--image", disk, *(["--yes"] if command == "rollback" else []), as_nobody=True)
    assert "root" in error["what"]
    assert error["hint"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe\x00garbage",
        b"schema = [",
        b'schema = "bootrescue-plan/2"\n',
        b'schema = "bootrescue-plan/1"\n[[step]]\nkind = "format-disk"\n',
        b'schema = "bootrescue-plan/1"\n[[step]]\nkind = "restore-image"\npath = "../../etc/shadow"\n',
        b'schema = "bootrescue-plan/1"\nsurprise = 1\n',
        b"#" * (5 << 20),
    ],
    ids=["empty", "bytes", "no TOML", "version", "kind", "path", "unknown member", "huge"],
)
def test_a_plan_that_is_garbage(content: bytes, disk: Path, tmp_path: Path) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_bytes(content)
    before = sha256(disk)
    assert str(plan) in refusal(8, "apply", plan, "--image", disk, "--yes")["where"]
    assert sha256(disk) == before


def test_nobody_is_there_to_confirm(disk: Path, tmp_path: Path) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_bytes(b'schema = "bootrescue-plan/1"\n')
    assert "--yes" in refusal(3, "apply", plan, "--image", disk)["hint"]

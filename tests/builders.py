"""Makes installed systems and small real disks in a few lines each, so that no test finds its world ready made."""

import hashlib
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from bootrescue.filesystems.tree import MemoryTree
from tests.image_builders import bzimage

MIB = 1 << 20
ROOT_UUID = "1f0c2a9b-5d0e-4b39-9a31-0e1d6a3c7f10"
BOOT_UUID = "2a9b1f0c-5d0e-4b39-9a31-0e1d6a3c7f11"
MACHINE_ID = "0123456789abcdef0123456789abcdef"
XFS_BYTES = 300 * MIB  # the smallest that mkfs.xfs makes


def debian(
    kernels: tuple[str, ...] = ("6.1.0-18-amd64",), *, fstab: str = f"UUID={ROOT_UUID} / ext4 defaults 0 1\n"
) -> dict[str, bytes]:
    """The files of a Debian system, by their absolute names."""
    files = {
        "/etc/os-release": b'ID=debian\nNAME="Debian GNU/Linux"\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12"\n',
        "/etc/machine-id": f"{MACHINE_ID}\n".encode(),
        "/etc/fstab": fstab.encode(),
        "/usr/bin/true": b"#!/bin/sh\n",
        "/var/lib/dpkg/status": b"",
        "/boot/grub/i386-pc/normal.mod": b"",
    }
    for release in kernels:
        files[f"/boot/vmlinuz-{release}"] = bzimage(f"{release} (builder@host) #1 SMP")
        files[f"/lib/modules/{release}/modules.dep"] = b"kernel/a.ko:\n"
    return files


def memory(files: Mapping[str, bytes], links: Mapping[str, str] | None = None) -> MemoryTree:
    """The files as a tree in memory."""
    return MemoryTree(files=files, links=links or {})


def on_disk(directory: Path, files: Mapping[str, bytes]) -> Path:
    """The files as a real directory."""
    for name, content in files.items():
        path = directory / PurePosixPath(name).relative_to("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return directory


def tool(*argv: str | Path, stdin: str = "") -> str:
    """Run a program that must succeed; gives what it printed."""
    path = f"{os.environ['PATH']}:/usr/sbin:/sbin"
    environment = os.environ | {"PATH": path, "LC_ALL": "C.UTF-8", "E2FSPROGS_FAKE_TIME": "1700000000"}
    done = subprocess.run(
        [str(word) for word in argv], input=stdin.encode(), capture_output=True, env=environment, check=False
    )
    assert done.returncode == 0, (argv, done.stderr.decode(errors="replace"))
    return done.stdout.decode(errors="replace")


def sparse(path: Path, size_bytes: int) -> Path:
    """A file of zeros that takes no room."""
    with path.open("wb") as file:
        file.truncate(size_bytes)
    return path


def ext4(path: Path, tree: Path | None = None, *, uuid: str = ROOT_UUID, size_bytes: int = 16 * MIB) -> Path:
    """A file system in a file, with a directory's content in it."""
    content = () if tree is None else ("-d", tree)
    tool("mke2fs", "-q", "-F", "-t", "ext4", "-U", uuid, *content, sparse(path, size_bytes))
    return path


def xfs(path: Path, tree: Path | None = None, *, uuid: str = BOOT_UUID) -> Path:
    """An XFS file system in a file; its content is copied in while it is mounted."""
    tool("mkfs.xfs", "-q", "-m", f"uuid={uuid}", sparse(path, XFS_BYTES))
    if tree is not None:
        with rw_mounted(path) as place:
            tool("cp", "-a", f"{tree}/.", place)
    return path


def make_disk(path: Path, table: str, parts: Mapping[int, Path], size_bytes: int) -> Path:
    """A disk with this sfdisk script as its table, and file systems put into its partitions."""
    tool("sfdisk", "--quiet", sparse(path, size_bytes), stdin=table)
    for number, part in parts.items():
        start = int(tool("partx", "--show", "--noheadings", "--output=START", "--nr", str(number), path))
        tool(
            "dd", f"if={part}", f"of={path}", "bs=1M", "oflag=seek_bytes", f"seek={start * 512}", "conv=notrunc,sparse"
        )
    return path


def debian_disk(directory: Path, **wanted: str) -> Path:
    """A GPT disk with one ext4 partition that holds a Debian system."""
    tree = on_disk(directory / "tree", debian(**wanted))  # type: ignore[arg-type]
    root = ext4(directory / "root.ext4", tree)
    return make_disk(directory / "disk.raw", "label: gpt\nsize=16M\n", {1: root}, 20 * MIB)


@contextmanager
def attached(image: Path, *options: str) -> Iterator[str]:
    """The image as a loop device, given back at the end."""
    device = tool("losetup", "--find", "--show", *options, image).strip()
    try:
        yield device
    finally:
        tool("losetup", "--detach", device)


@contextmanager
def rw_mounted(image: Path) -> Iterator[Path]:
    """The file system in a file, mounted for writing; unmounted at the end."""
    place = image.with_name(f"{image.name}.mounted")
    place.mkdir(exist_ok=True)
    tool("mount", "-o", "loop", image, place)
    try:
        yield place
    finally:
        tool("umount", place)


def power_cut(image: Path) -> Path:
    """A copy of a file system taken while it is mounted and changed: its journal waits for a replay."""
    copy = image.with_name(f"{image.name}.cut")
    with rw_mounted(image) as place:
        for number in range(5):
            (place / f"late-{number}").write_bytes(b"late\n" * 100)
        (place / "late-0").rename(place / "renamed")
        descriptor = os.open(place, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
        tool("cp", "--sparse=always", image, copy)
    return copy


def sha256(path: Path) -> str:
    """The digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

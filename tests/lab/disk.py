"""Makes disk images, and takes their partitions on loan: attached, mounted, and given back on every path."""

import json
import os
import shutil
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.lab.commands import run

SECTOR_SIZE_BYTES = 512
MIB = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """Where one partition lies on its disk."""

    number: int
    offset: int
    size_bytes: int


def create_disk(image: Path, *, size_bytes: int, table: str) -> tuple[Slice, ...]:
    """Make a sparse image with this sfdisk script as its partition table."""
    with image.open("xb") as file:
        file.truncate(size_bytes)
    run("sfdisk", "--quiet", image, stdin=table.encode())
    return slices(image)


def slices(image: Path) -> tuple[Slice, ...]:
    """Read the partition table back from the image."""
    listed = json.loads(run("sfdisk", "--json", image))["partitiontable"]["partitions"]
    return tuple(
        Slice(
            number=number,
            offset=entry["start"] * SECTOR_SIZE_BYTES,
            size_bytes=entry["size"] * SECTOR_SIZE_BYTES,
        )
        for number, entry in enumerate(listed, start=1)
    )


def write_at(image: Path, offset: int, content: bytes) -> None:
    """Put bytes at an offset of the image; blocks of zeros stay holes."""
    with image.open("r+b") as file:
        for start in range(0, len(content), MIB):
            chunk = content[start : start + MIB]
            if chunk.count(0) != len(chunk):
                file.seek(offset + start)
                file.write(chunk)


def copy_sparse(source: Path, target: Path) -> None:
    """Copy an image quickly: shared blocks where the file system can, holes where it cannot."""
    run("cp", "--sparse=always", "--reflink=auto", "--force", source, target)


@contextmanager
def partitions_attached(image: Path) -> Iterator[dict[int, Path]]:
    """Attach the image with a block device for each partition; yields them by number, the disk as 0.

    The kernel is told of the partitions one by one, since not every kernel scans loop devices by itself; unlike a
    loop device at an offset, such a partition still knows its disk, and that is what grub-mkconfig asks for.
    """
    device = Path(run("losetup", "--find", "--show", image).decode().strip())
    try:
        run("partx", "--add", device)
        try:
            yield {0: device, **{part.number: Path(f"{device}p{part.number}") for part in slices(image)}}
        finally:
            run("partx", "--delete", device)
    finally:
        run("losetup", "--detach", device)


@contextmanager
def attached(image: Path, part: Slice, *, read_only: bool = False) -> Iterator[Path]:
    """Attach one partition of the image as a loop device at its offset."""
    device = run(
        "losetup", "--find", "--show", *(["--read-only"] if read_only else []),
        f"--offset={part.offset}", f"--sizelimit={part.size_bytes}", image,
    )  # fmt: skip
    path = Path(device.decode().strip())
    try:
        yield path
    finally:
        run("losetup", "--detach", path)


@contextmanager
def mounted(device: Path, target: Path, *options: str) -> Iterator[Path]:
    """Mount a block device; leaving unmounts it, and a failed unmount is an error."""
    target.mkdir(parents=True, exist_ok=True)
    kind = run("blkid", "-p", "-s", "TYPE", "-o", "value", device).decode().strip()
    # Two copies of one lab disk carry the same UUID, and XFS refuses the second one unless told otherwise.
    every = [*options, *(["nouuid"] if kind == "xfs" else [])]
    run("mount", "--types", kind, *(["--options", ",".join(every)] if every else []), device, target)
    try:
        yield target
    finally:
        run("umount", target)


@contextmanager
def scratch_directory() -> Iterator[Path]:
    """Lend a directory for mount points and temporary files.

    It is removed only if everything in it stayed on one file system: whatever is still mounted is left alone.
    """
    path = Path(tempfile.mkdtemp(prefix="bootrescue-lab-"))
    try:
        yield path
    finally:
        if not any(os.path.ismount(entry) for entry in path.iterdir()):
            shutil.rmtree(path)


@contextmanager
def pseudo_file_systems(root: Path, nodes: Collection[Path], by_uuid: Mapping[str, Path]) -> Iterator[None]:
    """Give a chroot its /proc, /sys and a /dev of its own with these devices and these /dev/disk/by-uuid links.

    A /dev of its own, since grub-mkconfig and dracut name a root by UUID only if that link exists, and a host
    without udev makes none. The devices keep their names: mountinfo says them too.
    """
    devices = root / "dev"
    run("mount", "--types", "tmpfs", "--options", "mode=0755", "lab-dev", devices)
    try:
        for source in (*nodes, *(Path("/dev", name) for name in ("null", "zero", "urandom", "random"))):
            status = source.stat()
            os.mknod(devices / source.name, status.st_mode, status.st_rdev)
        links = devices / "disk/by-uuid"
        links.mkdir(parents=True)
        for uuid, source in by_uuid.items():
            (links / uuid).symlink_to(f"../../{source.name}")
        # dracut goes from a mount's device number to its device, and finds the root by no other way.
        (devices / "block").mkdir()
        for source in nodes:
            number = source.stat().st_rdev
            (devices / f"block/{os.major(number)}:{os.minor(number)}").symlink_to(f"../{source.name}")
        (devices / "fd").symlink_to("/proc/self/fd")
        with _mounted_type("proc", root / "proc"), _mounted_type("sysfs", root / "sys"):
            yield
    finally:
        run("umount", devices)


@contextmanager
def _mounted_type(kind: str, target: Path) -> Iterator[None]:
    run("mount", "--types", kind, f"lab-{kind}", target)
    try:
        yield
    finally:
        run("umount", target)

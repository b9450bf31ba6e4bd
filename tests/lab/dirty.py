"""Leaves a disk as a power cut does: mounted, written to, and with journals that wait for their replay."""

import os
from pathlib import Path

from tests.lab.commands import LabError, run
from tests.lab.disk import Slice, attached, copy_sparse, slices
from tests.lab.machine import LabMachine, installed_system

MARKER_DIRECTORIES = ("root", "boot")
FILE_COUNT = 20


def dirty(machine: LabMachine) -> tuple[str, ...]:
    """Give every file system of the machine a dirty journal; returns the paths of the files it wrote.

    The image is copied while it is mounted and changed: the copy is what a machine without power would find. What
    was flushed is in the journal only, for neither file system has had a reason to write it back.
    """
    snapshot = machine.disk.with_name(machine.disk.name + ".power-cut")
    try:
        with installed_system(machine) as root:
            written = tuple(path for name in MARKER_DIRECTORIES for path in _write_markers(root, name))
            copy_sparse(machine.disk, snapshot)
        snapshot.rename(machine.disk)
    finally:
        snapshot.unlink(missing_ok=True)
    clean = [part.number for part in slices(machine.disk) if is_clean(machine.disk, part)]
    expected = {machine.root_partition, machine.boot_partition} - {None}
    if expected & set(clean):
        raise LabError(f"the journals of partitions {clean} stayed clean")
    return written


def is_clean(image: Path, part: Slice) -> bool:
    """Tell from the partition itself whether its journal has nothing to replay; a partition without one is clean."""
    with attached(image, part, read_only=True) as device:
        # blkid ends with 2 if it finds nothing, as on a BIOS boot partition; wipefs lists nothing and is content.
        kinds = run("wipefs", "--parsable", "--output=TYPE", "--noheadings", device).decode().split()
        if "ext4" in kinds:
            return "needs_recovery" not in run("dumpe2fs", "-h", device).decode()
        if "xfs" in kinds:
            return "<CLEAN>" in run("xfs_logprint", "-t", device).decode()
    return True


def _write_markers(root: Path, name: str) -> list[str]:
    """Write files, flush some of them, rename one and remove one: things that a journal would replay."""
    directory = root / name / "power-cut"
    directory.mkdir()
    paths = [directory / f"file-{number:02}" for number in range(FILE_COUNT)]
    for number, path in enumerate(paths):
        with path.open("wb") as file:
            file.write(f"written before the power cut: {number}\n".encode() * 100)
            if number % 2 == 0:
                file.flush()
                os.fsync(file.fileno())
    paths[0].rename(directory / "renamed")
    paths[1].unlink()
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return [f"/{path.relative_to(root)}" for path in sorted(directory.iterdir())]

"""Makes another machine's initramfs image: the same kernel, but an NVMe or AHCI disk with an XFS root."""

from dataclasses import replace
from pathlib import Path

from tests.lab import cache, dracut, guest
from tests.lab.apt_sources import apt_sources
from tests.lab.commands import LabError, run
from tests.lab.disk import (
    MIB,
    create_disk,
    mounted,
    partitions_attached,
    pseudo_file_systems,
    scratch_directory,
)
from tests.lab.el7 import GZIP, PACKAGES, compress_modules
from tests.lab.el7 import NAME as DRACUT_TREE
from tests.lab.machine import LabMachine, identity
from tests.lab.root_tree import extract, root_tree

OTHER = "other-machine"
DISK_SIZE_BYTES = 1024 * MIB

RECIPE = dracut.DracutRecipe(
    hostonly=True,
    drivers="ahci nvme sd_mod xfs",
    filesystems="xfs",
    compress=GZIP,
    # Its own command line ends the wait for its own disk early, or every failing boot would take three minutes.
    kernel_command_line="rd.retry=8 rd.shell=0",
)
SOURCES = (
    "apt_sources.py", "commands.py", "cpio.py", "disk.py", "dracut.py", "el7.py", "foreign.py",
    "guest.py", "machine.py", "root_tree.py",
)  # fmt: skip


def foreign_image(machine: LabMachine, codec: str) -> bytes:
    """Return an image that dracut made host-only for another machine with this machine's kernel release."""
    key = cache.recipe_key(sources=SOURCES, parameters=(machine.name, machine.kernel_release, codec, apt_sources()))

    def build(directory: Path) -> None:
        (directory / "initramfs.img").write_bytes(_generate(machine, codec, directory / "disk.raw"))
        (directory / "disk.raw").unlink()

    return (cache.artefact("foreign", key, build) / "initramfs.img").read_bytes()


def _generate(machine: LabMachine, codec: str, disk: Path) -> bytes:
    uuid = str(identity(OTHER, "root"))
    create_disk(disk, size_bytes=DISK_SIZE_BYTES, table="label: gpt\ntype=linux\n")
    with partitions_attached(disk) as devices, scratch_directory() as scratch:
        run("mkfs.xfs", "-q", "-m", f"uuid={uuid}", devices[1])
        with mounted(devices[1], scratch / "root") as root:
            extract(root_tree(DRACUT_TREE, PACKAGES), root)
            if not (root / "lib/modules" / machine.kernel_release).is_dir():
                raise LabError(f"no other machine has the kernel {machine.kernel_release}: clear the cache")
            fstab = f"UUID={uuid} / xfs defaults 0 0\n"
            who = guest.Identity(machine=OTHER, hostname="build-07.other.example", fstab=fstab)
            guest.configure(root, who)
            dracut.configure(root, replace(RECIPE, compress=GZIP if codec == "gzip" else codec))
            with pseudo_file_systems(root, devices.values(), {uuid: devices[1]}):
                if machine.name == DRACUT_TREE:
                    compress_modules(root, machine.kernel_release)
                dracut.generate(root, machine.kernel_release, "/boot/initramfs.img")
            image = (root / "boot/initramfs.img").read_bytes()
        early = dracut.early_cpio(scratch / "early") if machine.name == DRACUT_TREE else b""
    return early + image

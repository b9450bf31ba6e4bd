"""Builds the machine in the manner of CentOS 7: MBR, BIOS, XFS /boot, dracut, .ko.xz modules, linux16."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.lab import dracut, guest
from tests.lab.commands import chroot, run
from tests.lab.cpio import compress
from tests.lab.disk import (
    MIB,
    create_disk,
    mounted,
    partitions_attached,
    pseudo_file_systems,
    scratch_directory,
)
from tests.lab.el7_grub_cfg import grub_configuration
from tests.lab.grub import GrubRecipe, core_image, entry_titles, write_boot_sector
from tests.lab.machine import Firmware, LabMachine, identity
from tests.lab.root_tree import extract, root_tree

NAME = "el7"
PACKAGES = (
    "linux-image-amd64", "dracut", "zstd", "xz-utils", "kmod", "udev", "e2fsprogs", "xfsprogs",
    "grub-pc-bin", "grub2-common", "sysvinit-core",
)  # fmt: skip

BOOT, ROOT = 1, 2
DISK_SIZE_BYTES = 1280 * MIB
TABLE = "label: dos\nlabel-id: 0x000b7c07\nsize=320MiB, type=83, bootable\ntype=83\n"

# The features of CentOS 7's XFS: its kernel and its GRUB know none of the later ones.
XFS_OPTIONS = ("-m", "crc=1,finobt=0,rmapbt=0,reflink=0,bigtime=0,inobtcount=0", "-i", "sparse=0,nrext64=0")

# dracut's own gzip -9 takes ten times as long here, and no reader can tell the difference.
GZIP = "gzip -n -6"

HOST_ONLY = dracut.DracutRecipe(
    hostonly=True,
    drivers="virtio_pci virtio_blk ext4 xfs",
    filesystems="ext4 xfs",
    compress=GZIP,
)
RESCUE = dracut.DracutRecipe(
    hostonly=False,
    drivers="virtio_pci virtio_blk virtio_scsi ahci ata_piix nvme sd_mod ext4 xfs",
    filesystems="ext4 xfs",
    compress=GZIP,
)

OS_RELEASE = """\
NAME="CentOS Linux"
VERSION="7 (Core)"
ID="centos"
ID_LIKE="rhel fedora"
VERSION_ID="7"
PRETTY_NAME="CentOS Linux 7 (Core)"
ANSI_COLOR="0;31"
CPE_NAME="cpe:/o:centos:centos:7"
HOME_URL="https://www.centos.org/"
BUG_REPORT_URL="https://bugs.centos.org/"

CENTOS_MANTISBT_PROJECT="CentOS-7"
CENTOS_MANTISBT_PROJECT_VERSION="7"
REDHAT_SUPPORT_PRODUCT="centos"
REDHAT_SUPPORT_PRODUCT_VERSION="7"
"""

# Debian's package database would be a lie on a machine that calls itself CentOS.
DEBIAN_TRACES = ("var/lib/dpkg", "var/lib/apt", "etc/apt", "etc/debian_version", "etc/dpkg")


def build_el7(directory: Path) -> LabMachine:
    """Build the machine's disk in a directory."""
    archive = root_tree(NAME, PACKAGES)
    disk = directory / "disk.raw"
    create_disk(disk, size_bytes=DISK_SIZE_BYTES, table=TABLE)
    boot_uuid, root_uuid = str(identity(NAME, "boot")), str(identity(NAME, "root"))
    with partitions_attached(disk) as devices, scratch_directory() as scratch:
        run("mkfs.xfs", "-q", "-L", "boot", *XFS_OPTIONS, "-m", f"uuid={boot_uuid}", devices[BOOT])
        run("mkfs.ext4", "-q", "-L", "root", "-U", root_uuid, "-E", "lazy_itable_init=0", devices[ROOT])
        with mounted(devices[ROOT], scratch / "root") as root, mounted(devices[BOOT], root / "boot"):
            extract(archive, root)
            release = next((root / "lib/modules").iterdir()).name
            _configure(root, boot_uuid, root_uuid)
            links = {boot_uuid: devices[BOOT], root_uuid: devices[ROOT]}
            with pseudo_file_systems(root, devices.values(), links):
                titles, boot_code, core = _make_bootable(root, release, scratch, boot_uuid, root_uuid)
            run("rm", "-r", "-f", *(root / trace for trace in DEBIAN_TRACES))
    write_boot_sector(disk, boot_code, core, sector=1)
    return LabMachine(
        name=NAME,
        disk=disk,
        firmware_modes=(Firmware.BIOS,),
        entries=titles,
        kernel_release=release,
        kernel=f"/boot/vmlinuz-{release}",
        initrd=f"/boot/initramfs-{release}.img",
        root_partition=ROOT,
        root_uuid=root_uuid,
        boot_partition=BOOT,
        boot_uuid=boot_uuid,
    )


def compress_modules(root: Path, release: str) -> None:
    """Turn every module into .ko.xz with the one checksum that a kernel can verify, then index them anew."""

    def compress_module(path: Path) -> None:
        packed = path.with_name(path.name + ".xz")
        packed.write_bytes(compress("xz", path.read_bytes()))
        packed.chmod(path.stat().st_mode & 0o777)
        path.unlink()

    with ThreadPoolExecutor() as pool:
        list(pool.map(compress_module, sorted((root / "lib/modules" / release).rglob("*.ko"))))
    chroot(root, "depmod", release)


def _configure(root: Path, boot_uuid: str, root_uuid: str) -> None:
    fstab = (
        "#\n# /etc/fstab\n# See man pages fstab(5), findfs(8), mount(8) and/or blkid(8) for more info\n#\n"
        f"UUID={root_uuid} /                       ext4    defaults        1 1\n"
        f"UUID={boot_uuid} /boot                   xfs     defaults        0 0\n"
    )
    guest.configure(root, guest.Identity(machine=NAME, hostname="lab-el7.example", fstab=fstab))
    guest.use_sysvinit(root)
    for path in (root / "etc/os-release", root / "usr/lib/os-release"):
        path.unlink()
    (root / "usr/lib/os-release").write_text(OS_RELEASE, encoding="utf-8")
    (root / "etc/os-release").symlink_to("../usr/lib/os-release")
    (root / "etc/centos-release").write_text("CentOS Linux release 7.9.2009 (Core)\n", encoding="utf-8")
    (root / "etc/redhat-release").symlink_to("centos-release")


def _make_bootable(
    root: Path, release: str, scratch: Path, boot_uuid: str, root_uuid: str
) -> tuple[tuple[str, ...], bytes, bytes]:
    """Make images, loader and grub.cfg; returns the entries' titles, the boot code and the core image."""
    machine_id = identity(NAME, "machine-id").hex
    for link in ("vmlinuz", "vmlinuz.old", "initrd.img", "initrd.img.old"):
        (root / link).unlink(missing_ok=True)
    compress_modules(root, release)
    early = dracut.early_cpio(scratch / "early")
    rescue = f"boot/initramfs-0-rescue-{machine_id}.img"
    for recipe, path in ((RESCUE, rescue), (HOST_ONLY, f"boot/initramfs-{release}.img")):
        dracut.configure(root, recipe)
        dracut.generate(root, release, f"/{path}")
        (root / path).write_bytes(early + (root / path).read_bytes())
    kernel = (root / f"boot/vmlinuz-{release}").read_bytes()
    (root / f"boot/vmlinuz-0-rescue-{machine_id}").write_bytes(kernel)
    grub = GrubRecipe(
        target="i386-pc",
        modules=("biosdisk", "part_msdos", "xfs"),
        directory="/boot/grub2",
        prefix="/grub2",
        file_system_uuid=boot_uuid,
    )
    core = core_image(root, grub)
    configuration = grub_configuration(release, machine_id, boot_uuid, root_uuid)
    (root / "boot/grub2/grub.cfg").write_text(configuration, encoding="utf-8")
    chroot(root, "grub-editenv", "/boot/grub2/grubenv", "create")
    boot_code = (root / "boot/grub2/i386-pc/boot.img").read_bytes()
    return entry_titles(configuration), boot_code, core

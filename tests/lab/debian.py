"""Builds the Debian machine: GPT, BIOS and UEFI, ext4 root with /boot, initramfs-tools, real grub-mkconfig."""

from dataclasses import dataclass
from pathlib import Path

from tests.lab import guest
from tests.lab.commands import chroot, run
from tests.lab.cpio import decompress
from tests.lab.disk import (
    MIB,
    SECTOR_SIZE_BYTES,
    create_disk,
    mounted,
    partitions_attached,
    pseudo_file_systems,
    scratch_directory,
    slices,
    write_at,
)
from tests.lab.grub import GrubRecipe, core_image, entry_titles, write_boot_sector
from tests.lab.machine import Firmware, LabMachine, identity
from tests.lab.root_tree import extract, root_tree

PACKAGES = (
    "linux-image-amd64", "initramfs-tools", "zstd", "kmod", "udev", "e2fsprogs",
    "grub-pc-bin", "grub-efi-amd64-bin", "grub2-common",
)  # fmt: skip
INIT_PACKAGES = {"debian": ("sysvinit-core",), "debian-systemd": ("systemd-sysv",)}

BIOS_BOOT, ESP, ROOT = 1, 2, 3
ESP_SIZE_BYTES = 48 * MIB
DISK_SIZE_BYTES = 1024 * MIB
ESP_SERIAL = "1AB0-0001"

GRUB_DEFAULTS = """\
GRUB_DEFAULT=0
GRUB_TIMEOUT=1
GRUB_DISTRIBUTOR=`lsb_release -i -s 2> /dev/null || echo Debian`
GRUB_CMDLINE_LINUX_DEFAULT=""
GRUB_CMDLINE_LINUX="console=ttyS0,115200"
GRUB_TERMINAL="console serial"
GRUB_SERIAL_COMMAND="serial --unit=0 --speed=115200"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Loaders:
    """What goes outside the root file system, read while that was mounted."""

    boot_code: bytes
    bios_core: bytes
    efi_core: bytes


def build_debian(name: str, directory: Path) -> LabMachine:
    """Build the machine's disk in a directory."""
    archive = root_tree(name, (*PACKAGES, *INIT_PACKAGES[name]))
    disk = directory / "disk.raw"
    create_disk(disk, size_bytes=DISK_SIZE_BYTES, table=_table(name))
    root_uuid = str(identity(name, "root"))
    with partitions_attached(disk) as devices, scratch_directory() as scratch:
        run("mkfs.ext4", "-q", "-L", "root", "-U", root_uuid, "-E", "lazy_itable_init=0", devices[ROOT])
        with mounted(devices[ROOT], scratch / "root") as root:
            extract(archive, root)
            _configure(name, root, root_uuid)
            release = next((root / "lib/modules").iterdir()).name
            _unpack_modules(root, release)
            with pseudo_file_systems(root, devices.values(), {root_uuid: devices[ROOT]}):
                loaders = _make_bootable(root, release, root_uuid, disk=devices[0])
            titles = entry_titles((root / "boot/grub/grub.cfg").read_text(encoding="utf-8"))
        _write_loaders(disk, loaders, scratch, root_uuid)
    return LabMachine(
        name=name,
        disk=disk,
        firmware_modes=(Firmware.BIOS, Firmware.UEFI),
        entries=titles,
        kernel_release=release,
        kernel=f"/boot/vmlinuz-{release}",
        initrd=f"/boot/initrd.img-{release}",
        root_partition=ROOT,
        root_uuid=root_uuid,
        boot_partition=None,
        boot_uuid=None,
    )


def _table(name: str) -> str:
    return (
        f"label: gpt\nlabel-id: {identity(name, 'disk')}\n"
        f"size=1MiB, type=21686148-6449-6E6F-744E-656564454649, uuid={identity(name, 'bios-boot')}\n"
        f"size={ESP_SIZE_BYTES // MIB}MiB, type=uefi, uuid={identity(name, 'esp')}\n"
        f"type=linux, uuid={identity(name, 'root-partition')}\n"
    )


def _configure(name: str, root: Path, root_uuid: str) -> None:
    fstab = (
        f"UUID={root_uuid} /         ext4 errors=remount-ro 0 1\n"
        f"UUID={ESP_SERIAL} /boot/efi vfat umask=0077        0 1\n"
    )
    guest.configure(root, guest.Identity(machine=name, hostname="lab-debian", fstab=fstab))
    if name == "debian-systemd":
        guest.use_systemd(root)
    else:
        guest.use_sysvinit(root)
    (root / "etc/initramfs-tools/conf.d/compress").write_text("COMPRESS=zstd\n", encoding="utf-8")
    (root / "etc/default/grub").write_text(GRUB_DEFAULTS, encoding="utf-8")
    (root / "boot/efi").mkdir(exist_ok=True)


def _unpack_modules(root: Path, release: str) -> None:
    """Have modules as .ko on every release: those of Debian 13 are .ko.xz and go into an archive of their own."""
    packed = sorted((root / "lib/modules" / release).rglob("*.ko.xz"))
    for path in packed:
        path.with_suffix("").write_bytes(decompress("xz", path.read_bytes()))
        path.unlink()
    if packed:
        chroot(root, "depmod", release)


def _make_bootable(root: Path, release: str, root_uuid: str, *, disk: Path) -> _Loaders:
    """Run the distribution's own generators inside the installed system."""
    chroot(root, "update-initramfs", "-c", "-k", release)
    bios = GrubRecipe(
        target="i386-pc",
        modules=("biosdisk", "part_gpt", "ext2"),
        directory="/boot/grub",
        prefix="/boot/grub",
        file_system_uuid=root_uuid,
    )
    efi = GrubRecipe(
        target="x86_64-efi",
        modules=("part_gpt", "ext2", "fat"),
        directory="/boot/grub",
        prefix="/boot/grub",
        file_system_uuid=root_uuid,
    )
    cores = (core_image(root, bios), core_image(root, efi))
    # The hints in grub.cfg should say hd0, which is what the disk will be, and not the name of a loop device.
    (root / "boot/grub/device.map").write_text(f"(hd0)\t{disk}\n", encoding="utf-8")
    chroot(root, "grub-mkconfig", "--output=/boot/grub/grub.cfg")
    (root / "boot/grub/device.map").unlink()
    chroot(root, "grub-editenv", "/boot/grub/grubenv", "create")
    boot_code = (root / "boot/grub/i386-pc/boot.img").read_bytes()
    return _Loaders(boot_code=boot_code, bios_core=cores[0], efi_core=cores[1])


def _write_loaders(disk: Path, loaders: _Loaders, scratch: Path, root_uuid: str) -> None:
    parts = {part.number: part for part in slices(disk)}
    sector = parts[BIOS_BOOT].offset // SECTOR_SIZE_BYTES
    write_boot_sector(disk, loaders.boot_code, loaders.bios_core, sector=sector)
    esp = scratch / "esp.img"
    run("mkfs.fat", "-C", "-n", "ESP", "-i", ESP_SERIAL.replace("-", ""), esp, str(ESP_SIZE_BYTES // 1024))
    stub = scratch / "grub.cfg"
    stub.write_text(
        f"search.fs_uuid {root_uuid} root\nset prefix=($root)'/boot/grub'\nconfigfile $prefix/grub.cfg\n",
        encoding="utf-8",
    )
    loader = scratch / "grubx64.efi"
    loader.write_bytes(loaders.efi_core)
    run("mmd", "-i", esp, "::/EFI", "::/EFI/BOOT", "::/EFI/debian")
    for source, target in (
        (loader, "BOOT/BOOTX64.EFI"),
        (loader, "debian/grubx64.efi"),
        (stub, "debian/grub.cfg"),
    ):
        run("mcopy", "-i", esp, source, f"::/EFI/{target}")
    write_at(disk, parts[ESP].offset, esp.read_bytes())

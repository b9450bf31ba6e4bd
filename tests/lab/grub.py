"""Puts GRUB on a disk image with GRUB's own tools, and without asking the host about its devices.

grub-install probes the devices of the machine that it runs on, so the lab does what grub-install does in the end:
grub-mkimage makes the core image, and the boot sector is told where it lies (GRUB 2.06, util/setup.c).
"""

import re
import shutil
import struct
from dataclasses import dataclass
from pathlib import Path

from tests.lab.commands import chroot
from tests.lab.disk import SECTOR_SIZE_BYTES, write_at

# grub-core/boot/i386/pc/boot.S: GRUB_BOOT_MACHINE_KERNEL_SECTOR; the partition table begins after 440 bytes of code.
KERNEL_SECTOR_OFFSET = 0x5C
BOOT_CODE_SIZE_BYTES = 440
# grub-core/boot/i386/pc/diskboot.S: the block list stands at the end of the core image's first sector.
BLOCK_LIST_OFFSET = 0x1F4

CORE_MODULES = ("search_fs_uuid", "normal", "configfile", "minicmd")


@dataclass(frozen=True, slots=True, kw_only=True)
class GrubRecipe:
    """What a core image must know: its format, its modules, and the file system with its directory."""

    target: str
    modules: tuple[str, ...]
    directory: str
    prefix: str
    file_system_uuid: str


def core_image(root: Path, recipe: GrubRecipe) -> bytes:
    """Make the core image in the installed system and leave it among GRUB's modules, as grub-install does.

    `recipe.directory` is the directory's path in the installed system, `recipe.prefix` the same on its partition.
    """
    target = root / recipe.directory.lstrip("/") / recipe.target
    shutil.copytree(root / "usr/lib/grub" / recipe.target, target)
    (target / "load.cfg").write_text(
        f"search.fs_uuid {recipe.file_system_uuid} root\nset prefix=($root)'{recipe.prefix}'\n",
        encoding="utf-8",
    )
    inside = f"{recipe.directory}/{recipe.target}"
    name = "core.img" if recipe.target == "i386-pc" else "core.efi"
    chroot(
        root, "grub-mkimage", f"--format={recipe.target}", f"--output={inside}/{name}",
        f"--config={inside}/load.cfg", f"--prefix={recipe.prefix}", *CORE_MODULES, *recipe.modules,
    )  # fmt: skip
    return (target / name).read_bytes()


def write_boot_sector(image: Path, boot_code: bytes, core: bytes, *, sector: int) -> None:
    """Write the boot sector's code and, at this sector, the core image that it loads."""
    code = bytearray(boot_code[:BOOT_CODE_SIZE_BYTES])
    struct.pack_into("<Q", code, KERNEL_SECTOR_OFFSET, sector)
    body = bytearray(core)
    struct.pack_into("<Q", body, BLOCK_LIST_OFFSET, sector + 1)
    write_at(image, 0, bytes(code))
    write_at(image, sector * SECTOR_SIZE_BYTES, bytes(body))


def entry_titles(configuration: str) -> tuple[str, ...]:
    """List the titles of the menu entries in the order of a grub.cfg that the lab itself made."""
    return tuple(re.findall(r"^\s*menuentry '([^']*)'", configuration, flags=re.MULTILINE))

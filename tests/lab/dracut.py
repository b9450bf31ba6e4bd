"""Makes initramfs images with the real dracut, inside the root that they are for."""

from dataclasses import dataclass
from pathlib import Path

from tests.lab.commands import chroot
from tests.lab.cpio import pack

CONFIGURATION = Path("etc/dracut.conf.d/lab.conf")

# A machine without systemd in its initramfs fails with dracut's own words, and boots faster under emulation.
DRACUT_MODULES = "bash kernel-modules rootfs-block terminfo udev-rules base fs-lib shutdown"
STORAGE_DRIVERS = "virtio_pci virtio_blk"


@dataclass(frozen=True, slots=True, kw_only=True)
class DracutRecipe:
    """What one image shall hold; the drivers are named, so that the building host's own do not come in."""

    hostonly: bool
    drivers: str
    compress: str
    filesystems: str
    kernel_command_line: str = ""

    def configuration(self) -> str:
        """Return the text for dracut.conf.d."""
        answer = "yes" if self.hostonly else "no"
        own = f'kernel_cmdline="{self.kernel_command_line}"\n' if self.kernel_command_line else ""
        return (
            f'hostonly="{answer}"\nhostonly_cmdline="{answer}"\nhostonly_mode="sloppy"\n'
            f'persistent_policy="by-uuid"\nuse_fstab="yes"\n'
            f'dracutmodules="{DRACUT_MODULES}"\n'
            f'drivers="{self.drivers}"\nfilesystems="{self.filesystems}"\n'
            f'compress="{self.compress}"\nearly_microcode="no"\n'
            f'i18n_install_all="no"\ndo_strip="no"\n{own}'
        )


def configure(root: Path, recipe: DracutRecipe) -> None:
    """Leave the recipe in the installed system, where an operator's own `dracut -f` finds it too."""
    (root / CONFIGURATION).write_text(recipe.configuration(), encoding="utf-8")


def generate(root: Path, release: str, output: str) -> None:
    """Let dracut write an image by the recipe that is configured; `output` is a path in that system."""
    chroot(root, "dracut", "--force", "--no-early-microcode", "--kver", release, output)


def early_cpio(directory: Path) -> bytes:
    """Make an early cpio as dracut does, with microcode that no processor will take.

    dracut copies the building host's own microcode; a made-up file gives every host the same image.
    """
    microcode = directory / "kernel/x86/microcode/GenuineIntel.bin"
    microcode.parent.mkdir(parents=True)
    microcode.write_bytes(bytes(range(256)) * 88)
    (directory / "early_cpio").write_text("1\n", encoding="utf-8")
    return pack(directory)

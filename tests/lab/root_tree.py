"""Installs a small Debian root with mmdebstrap and keeps it as a tar archive."""

from pathlib import Path

from tests.lab import cache
from tests.lab.apt_sources import apt_sources, release_name
from tests.lab.commands import run

# Few drivers are needed to boot a virtual machine; the rest of them would be nine tenths of the disk. Kept: what
# finds disks and file systems, and i40e, the driver whose injection the story is about.
KEPT_MODULES = (
    "crypto/*",
    "drivers/ata/*",
    "drivers/block/*",
    "drivers/cdrom/*",
    "drivers/char/hw_random/*",
    "drivers/char/virtio_console.ko*",
    "drivers/firmware/*",
    "drivers/md/dm-mod.ko*",
    "drivers/net/ethernet/intel/i40e/*",
    "drivers/net/net_failover.ko*",
    "drivers/net/virtio_net.ko*",
    "drivers/nvme/*",
    "drivers/scsi/scsi_*",
    "drivers/scsi/sd_mod.ko*",
    "drivers/scsi/sr_mod.ko*",
    "drivers/scsi/virtio_scsi.ko*",
    "drivers/virtio/*",
    "fs/btrfs/*",
    "fs/ext4/*",
    "fs/fat/*",
    "fs/isofs/*",
    "fs/jbd2/*",
    "fs/mbcache.ko*",
    "fs/nls/*",
    "fs/overlayfs/*",
    "fs/squashfs/*",
    "fs/xfs/*",
    "lib/*",
    "net/core/failover.ko*",
)

# Packages of Debian 12 name the first, those of Debian 13, where /lib is a link, the second.
MODULES = ("/lib/modules", "/usr/lib/modules")

DROPPED_PATHS = (
    *(f"{modules}/*/kernel/*" for modules in MODULES),
    "/usr/share/doc/*",
    "/usr/share/info/*",
    "/usr/share/locale/*",
    "/usr/share/man/*",
    "/usr/lib/udev/hwdb.d/*",
)


def root_tree(name: str, packages: tuple[str, ...]) -> Path:
    """Return the tar archive of a root with these packages installed."""
    sources = apt_sources()
    key = cache.recipe_key(
        sources=("root_tree.py", "apt_sources.py", "commands.py"),
        parameters=(sources, *packages),
    )

    def build(directory: Path) -> None:
        run(*_arguments(packages, directory / "root.tar"), stdin=sources.encode())

    return cache.artefact(f"tree-{name}", key, build) / "root.tar"


def _arguments(packages: tuple[str, ...], archive: Path) -> list[str]:
    dropped = [f"--dpkgopt=path-exclude={pattern}" for pattern in DROPPED_PATHS]
    kept = [f"--dpkgopt=path-include={top}/*/kernel/{pattern}" for top in MODULES for pattern in KEPT_MODULES]
    return [
        "mmdebstrap",
        "--mode=root",
        "--variant=essential",
        "--architectures=amd64",
        "--format=tar",
        *dropped,
        *kept,
        f"--include={','.join(packages)}",
        release_name(),
        str(archive),
        "-",
    ]


def extract(archive: Path, root: Path) -> None:
    """Unpack a root tree into an empty file system."""
    run("tar", "--extract", "--numeric-owner", "--xattrs", f"--file={archive}", f"--directory={root}")

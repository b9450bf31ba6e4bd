"""Names of the external programs that bootrescue starts, and the Debian package that has each."""

import os
import shutil
from typing import Final

from bootrescue.errors import MachineLacksError

PACKAGE_OF: Final = {
    "blkid": "util-linux",
    "depmod": "kmod",
    "grub-fstest": "grub-common",
    "grub-script-check": "grub-common",
    "mount": "mount",
    "qemu-img": "qemu-utils",
    "qemu-storage-daemon": "qemu-utils or qemu-system-common",
    "qemu-system-x86_64": "qemu-system-x86",
    "setpriv": "util-linux",
    "umount": "mount",
}

# Root's login shell on Debian 12 has no sbin directories when reached by su; the tools live there all the same.
SEARCH_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def find_tool(name: str) -> str:
    """Say where a program is.

    Raises:
        MachineLacksError: it is not installed; the hint names the package.
    """
    search_path = os.environ.get("PATH", "") + ":" + SEARCH_PATH
    found = shutil.which(name, path=search_path)
    if found is None:
        raise MachineLacksError(
            f"the program {name} is not installed",
            hint=f"install the package {PACKAGE_OF.get(name, name)}",
        )
    return found


def require_root(purpose: str) -> None:
    """Refuse to go on without root.

    Raises:
        MachineLacksError: the effective user is not root.
    """
    if os.geteuid() != 0:
        raise MachineLacksError(
            f"{purpose} needs root: file systems can only be mounted by root",
            hint="run it with sudo, or look at a directory with --root DIR",
        )

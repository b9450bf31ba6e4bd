"""A writable view of a disk whose changes land in a file of ours: the disk itself is only read."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from bootrescue.errors import MachineLacksError
from bootrescue.host.durable import write_here
from bootrescue.host.host import Host
from bootrescue.host.mount_table import is_mount_point
from bootrescue.host.mounts import unmounted
from bootrescue.host.runner import ToolError, run, running

EXPORT_SECONDS: Final = 20.0


def make_overlay(host: Host, disk: str) -> Path:
    """Make an empty qcow2 overlay over a raw disk or image.

    Raises:
        MachineLacksError: qemu-img is missing or refuses.
    """
    overlay = host.new_directory("qcow2") / "overlay.qcow2"
    base = str(Path(disk).resolve())
    try:
        run(["qemu-img", "create", "-f", "qcow2", "-b", base, "-F", "raw", str(overlay)])
    except ToolError as error:
        raise MachineLacksError(f"no overlay can be made over it: {error.what}", where=disk) from error
    return overlay


@contextmanager
def exported(host: Host, overlay: Path) -> Iterator[str]:
    """Show an overlay as a raw disk file, for the length of a with block (qemu-storage-daemon's FUSE export).

    Raises:
        MachineLacksError: FUSE is missing here, or the export does not come up.
    """
    raw = host.new_directory("export") / "disk.raw"
    write_here(raw, b"")
    argv = [
        "qemu-storage-daemon",
        "--blockdev",
        f"driver=qcow2,node-name=overlay,file.driver=file,file.filename={_option(overlay)}",
        "--export",
        f"type=fuse,id=export,node-name=overlay,mountpoint={_option(raw)},writable=on",
    ]
    with ExitStack() as stack:
        stack.callback(_require_gone, raw)
        daemon = stack.enter_context(running(argv))
        deadline = time.monotonic() + EXPORT_SECONDS
        while not _is_up(raw):
            if daemon.poll() is not None or time.monotonic() > deadline:
                reason = daemon.error_text() if daemon.poll() is not None else "it did not come up in time"
                raise MachineLacksError(f"the overlay cannot be shown as a disk: {reason}", hint="modprobe fuse")
            time.sleep(0.02)
        yield str(raw)


def _option(path: Path) -> str:
    """A file name as a QEMU option takes it: a comma would end it."""
    return str(path).replace(",", ",,")


def _is_up(raw: Path) -> bool:
    """The export is shown in place of an empty file. While it comes or goes, the file may not even have a status."""
    try:
        return raw.stat().st_size > 0
    except OSError:
        return False


def _require_gone(raw: Path) -> None:
    """The daemon takes its mount with it, unless it had to be killed."""
    if is_mount_point(raw):
        unmounted(raw)

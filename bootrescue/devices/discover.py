"""Which block devices there are: those named by the operator, or every disk that this machine does not run from."""

import os
import stat
from pathlib import Path
from typing import Any, Final

from bootrescue.devices.disk_image import open_image
from bootrescue.devices.hardware import hardware_of
from bootrescue.devices.model import BlockDevice, DeviceKind, Slice, Source
from bootrescue.devices.partitions import read_partitions
from bootrescue.errors import BadInputError, MachineLacksError, UsageError
from bootrescue.host.host import Host
from bootrescue.host.tools import require_root

# /sys/class/block/*/size counts 512-byte sectors whatever the hardware does (Documentation/ABI/stable/sysfs-block)
SYSFS_SECTOR_BYTES: Final = 512
# Devices of the kernel itself that never hold an installed system
NEVER_A_DISK: Final = ("loop", "ram", "zram", "sr", "fd", "nbd")


def discover(host: Host, source: Source) -> tuple[BlockDevice, ...]:
    """List disks with their partitions. Nothing is written, and nothing is opened for writing.

    Raises:
        BadInputError: a named file is no disk, or its partition table is damaged.
        MachineLacksError: no root.
        UsageError: a named disk does not exist.
    """
    require_root("reading a disk")
    images = tuple(open_image(name) for name in source.images)
    named = bool(source.images or source.disks)
    disks = tuple(_named_disk(name) for name in source.disks) if named else tuple(_every_disk())
    found = (*images, *disks)
    if not found:
        raise MachineLacksError(
            "no disk is to be seen beside the one that this machine runs from",
            hint="if the server has a storage controller, its driver may be missing here: look at lspci -k",
        )
    return tuple(_with_partitions(host, disk, named=named) for disk in found)


def _with_partitions(host: Host, disk: BlockDevice, *, named: bool) -> BlockDevice:
    host.report(f"reading {disk.path}")
    try:
        return read_partitions(host, disk)
    except BadInputError:
        if named:
            raise
        return disk


def _named_disk(name: str) -> BlockDevice:
    try:
        status = os.stat(name)  # noqa: PTH116 -- st_rdev below
    except OSError as error:
        raise UsageError(
            f"there is no such disk: {error.strerror}", where=name, hint="bootrescue scan lists them"
        ) from error
    if not stat.S_ISBLK(status.st_mode):
        raise UsageError("is not a block device", where=name, hint="a file with a disk in it is given with --image")
    number = f"{os.major(status.st_rdev)}:{os.minor(status.st_rdev)}"
    return _describe(name, Path(f"/sys/dev/block/{number}"))


def _every_disk() -> list[BlockDevice]:
    import pyudev  # noqa: PLC0415 -- 60 ms that only a scan needs

    context = pyudev.Context()
    disks = []
    for device in context.list_devices(subsystem="block", DEVTYPE="disk"):
        if not _is_candidate(device) or _runs_this_machine(str(device.device_node)):
            continue
        disks.append(_describe(str(device.device_node), Path(str(device.sys_path)), device.properties))
    return sorted(disks, key=lambda disk: disk.path)


def _is_candidate(device: Any) -> bool:  # noqa: ANN401 -- pyudev has no types
    name = str(device.sys_name)
    return not name.rstrip("0123456789").startswith(NEVER_A_DISK) and _sysfs_number(Path(device.sys_path) / "size") > 0


def _runs_this_machine(node: str) -> bool:
    """Whether something on this disk is mounted now: the live medium, or the disk of the running system."""
    mounts = Path("/proc/1/mounts").read_text(encoding="utf-8", errors="surrogateescape")
    sources = {line.split(" ", 1)[0] for line in mounts.splitlines()}
    return any(source == node or source.removeprefix(node).removeprefix("p").isdigit() for source in sources)


def _describe(node: str, sysfs: Path, properties: Any = None) -> BlockDevice:  # noqa: ANN401 -- pyudev has no types
    known = dict(properties) if properties is not None else {}
    return BlockDevice(
        path=node,
        kind=DeviceKind.DISK,
        size_bytes=_sysfs_number(sysfs / "size") * SYSFS_SECTOR_BYTES,
        piece=Slice(path=node),
        serial=known.get("ID_SERIAL_SHORT", "")
        or _sysfs_text(sysfs / "device/serial")
        or _sysfs_text(sysfs / "serial"),
        model=known.get("ID_MODEL", "") or _sysfs_text(sysfs / "device/model"),
        hardware=hardware_of(str(sysfs)),
    )


def _sysfs_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _sysfs_number(path: Path) -> int:
    text = _sysfs_text(path)
    return int(text) if text.isdigit() else 0

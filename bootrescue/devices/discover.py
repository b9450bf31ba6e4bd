"""Which block devices there are: those named by the operator, or every disk that this machine does not run from."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from bootrescue.devices.disk_image import open_image
from bootrescue.devices.hardware import hardware_of
from bootrescue.devices.in_use import disks_in_use, number_of
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

    Of the machine's own disks, those that it runs from are listed and left out; one that cannot be read does not
    stop the others.

    Raises:
        BadInputError: a named file is no disk, or its partition table is damaged.
        MachineLacksError: no root, or no disk to look into.
        UsageError: a named disk or file does not exist, or is no disk.
    """
    require_root("reading a disk")
    if source.images or source.disks:
        named = (*map(open_image, _once(source.images)), *map(_named_disk, _once(source.disks)))
        return tuple(_with_partitions(host, disk) for disk in named)
    disks = tuple(_every_disk(host))
    if all(disk.left_out for disk in disks):
        raise MachineLacksError(
            "no disk is to be seen beside those that this machine uses itself",
            where=", ".join(f"{disk.path} ({disk.left_out})" for disk in disks),
            hint="a disk in use can still be looked at with --disk; if the server has a storage controller, its driver "
            "may be missing here: look at lspci -k",
        )
    return tuple(disk if disk.left_out else _tried(host, disk) for disk in disks)


def _once(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _with_partitions(host: Host, disk: BlockDevice) -> BlockDevice:
    host.report(f"reading {disk.path}")
    return read_partitions(host, disk)


def _tried(host: Host, disk: BlockDevice) -> BlockDevice:
    try:
        return _with_partitions(host, disk)
    except (BadInputError, MachineLacksError) as error:
        return replace(disk, left_out=error.what)


def _named_disk(name: str) -> BlockDevice:
    path = Path(name).resolve()
    if not path.exists():
        raise UsageError("there is no such disk", where=name, hint="bootrescue scan lists them")
    number = number_of(str(path))
    if not number:
        raise UsageError("is not a block device", where=name, hint="a file with a disk in it is given with --image")
    sysfs = Path(f"/sys/dev/block/{number}")
    if (sysfs / "partition").exists():
        whole = f"/dev/{sysfs.resolve().parent.name}"
        raise UsageError("is a partition", where=name, hint=f"give the whole disk: --disk {whole}")
    disk = _describe(str(path), sysfs)
    if not disk.size_bytes:
        raise BadInputError("has no medium, or an empty one", where=name)
    return disk


def _every_disk(host: Host) -> list[BlockDevice]:
    import pyudev  # noqa: PLC0415 -- 60 ms that only a scan needs

    in_use = disks_in_use(host.work)
    disks = []
    for device in pyudev.Context().list_devices(subsystem="block", DEVTYPE="disk"):
        if _is_candidate(device):
            disk = _describe(str(device.device_node), Path(str(device.sys_path)), device.properties)
            use = in_use.get(number_of(disk.path), "")
            disks.append(replace(disk, left_out=f"this machine uses it: {use}") if use else disk)
    return sorted(disks, key=lambda disk: disk.path)


def _is_candidate(device: Any) -> bool:  # noqa: ANN401 -- pyudev has no types
    name = str(device.sys_name)
    return not name.rstrip("0123456789").startswith(NEVER_A_DISK) and _sysfs_number(Path(device.sys_path) / "size") > 0


def _describe(node: str, sysfs: Path, properties: Any = None) -> BlockDevice:  # noqa: ANN401 -- pyudev has no types
    known = dict(properties) if properties is not None else _udev_properties(sysfs)
    return BlockDevice(
        path=node,
        kind=DeviceKind.DISK,
        size_bytes=_sysfs_number(sysfs / "size") * SYSFS_SECTOR_BYTES,
        piece=Slice(path=node),
        serial=known.get("ID_SERIAL_SHORT", "")
        or _sysfs_text(sysfs / "device/serial")
        or _sysfs_text(sysfs / "serial"),
        model=_sysfs_text(sysfs / "device/model") or known.get("ID_MODEL", ""),
        hardware=hardware_of(str(sysfs)),
    )


def _udev_properties(sysfs: Path) -> dict[str, str]:
    import pyudev  # noqa: PLC0415 -- as above

    try:
        return dict(pyudev.Devices.from_sys_path(pyudev.Context(), str(sysfs.resolve())).properties)
    except pyudev.DeviceNotFoundError:
        return {}


def _sysfs_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _sysfs_number(path: Path) -> int:
    text = _sysfs_text(path)
    return int(text) if text.isdigit() else 0


def problems_of(devices: tuple[BlockDevice, ...]) -> tuple[str, ...]:
    """What was not looked into, and what could not be read, in words."""
    left_out = tuple(f"{device.path} is left out: {device.left_out}" for device in devices if device.left_out)
    return (*left_out, *(f"{device.path}: {problem}" for device in devices for problem in device.problems))

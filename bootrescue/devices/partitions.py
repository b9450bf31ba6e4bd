"""Partition tables, read by libparted (pyparted) through a device that cannot be written."""

from dataclasses import replace
from typing import Any

from bootrescue.devices.model import BlockDevice, DeviceKind, Slice
from bootrescue.errors import BadInputError
from bootrescue.host.host import Host
from bootrescue.host.loop_devices import attach


def read_partitions(host: Host, disk: BlockDevice) -> BlockDevice:
    """Give the disk back with its partition table and partitions filled in; without a table it has none.

    Raises:
        BadInputError: there is a table, and libparted cannot read it (its message is given).
        MachineLacksError: no loop device can be had.
    """
    import parted  # noqa: PLC0415 -- 48 ms that only a scan needs

    read_only = attach(host, disk.piece.path)
    device = parted.getDevice(read_only)
    try:
        table = parted.newDisk(device)
    except parted.DiskLabelException as error:
        if _has_boot_signature(disk.piece):
            raise BadInputError(
                f"the partition table cannot be read: {_first_line(error)}",
                where=disk.path,
                hint="if a GPT backup exists, sgdisk --load-backup or gdisk's recovery menu can bring it back",
            ) from error
        return disk
    sector_bytes = int(device.sectorSize)
    children = tuple(
        _partition(disk, partition, sector_bytes) for partition in table.partitions if _holds_data(parted, partition)
    )
    return replace(disk, partition_table=str(table.type), children=children)


def _has_boot_signature(piece: Slice) -> bool:
    """Whether sector 0 ends in 55 aa and lists a partition: a table, as opposed to a bare file system or noise."""
    with open(piece.path, "rb") as disk:  # noqa: PTH123 -- a block device as well as a file
        disk.seek(piece.offset_bytes)
        sector = disk.read(512)
    types = (sector[446 + 16 * slot + 4 : 446 + 16 * slot + 5] for slot in range(4))
    return sector[510:512] == b"\x55\xaa" and any(kind not in {b"", b"\0"} for kind in types)


def _first_line(error: Exception) -> str:
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__


def _holds_data(parted: Any, partition: Any) -> bool:  # noqa: ANN401 -- pyparted has no types
    kinds = parted.PARTITION_EXTENDED | parted.PARTITION_FREESPACE | parted.PARTITION_METADATA
    return not partition.type & kinds


def _partition(disk: BlockDevice, partition: Any, sector_bytes: int) -> BlockDevice:  # noqa: ANN401 -- as above
    offset = int(partition.geometry.start) * sector_bytes
    size = int(partition.geometry.length) * sector_bytes
    return BlockDevice(
        path=_partition_path(disk, int(partition.number)),
        kind=DeviceKind.PARTITION,
        size_bytes=size,
        piece=Slice(path=disk.piece.path, offset_bytes=disk.piece.offset_bytes + offset, size_bytes=size),
        partition_number=int(partition.number),
        partition_uuid=str(getattr(partition, "uuid", "") or "").lower(),
        hardware=disk.hardware,
    )


def _partition_path(disk: BlockDevice, number: int) -> str:
    if disk.kind is DeviceKind.IMAGE:
        return f"{disk.path}#{number}"
    return f"{disk.path}p{number}" if disk.path[-1].isdigit() else f"{disk.path}{number}"

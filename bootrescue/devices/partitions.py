"""Partition tables, read by libparted (pyparted) through a device that cannot be written."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from bootrescue.devices.gpt import partition_uuids
from bootrescue.devices.model import BlockDevice, DeviceKind, Slice
from bootrescue.errors import BadInputError, MachineLacksError
from bootrescue.host.host import Host
from bootrescue.host.loop_devices import attach
from bootrescue.host.mounts import bound

SECTOR_BYTES: Final = 512
# libparted's name for a disk that holds a file system and no table
NO_TABLE: Final = "loop"
# The master boot record: four entries of 16 bytes, each with an active flag first and its type fifth; then 55 aa
ENTRIES: Final = range(446, 510, 16)
ACTIVE_FLAGS: Final = {0x00, 0x80}
DISK_SIGNATURE: Final = slice(440, 444)


def read_partitions(host: Host, disk: BlockDevice) -> BlockDevice:
    """Give the disk back with its partition table and partitions filled in; without a table it has none.

    Raises:
        BadInputError: there is a table, and libparted cannot read it (its message is given).
        MachineLacksError: the disk cannot be read, or no loop device can be had.
    """
    import _ped  # noqa: PLC0415 -- 48 ms that only a scan needs
    import parted  # noqa: PLC0415 -- as above

    read = _reader(disk.piece)
    first = read(0, SECTOR_BYTES)
    # libparted keeps devices by path, and pyparted frees them by path: one seen twice is stale, or freed in use
    device_path = str(bound(host, attach(host, disk.piece.path)))
    said: list[str] = []
    try:
        with _answering(parted, said):
            device = parted.getDevice(device_path)
            table = parted.newDisk(device)
    except (_ped.PartedException, *_failures(_ped)) as error:
        if not has_boot_record(first) and not read(SECTOR_BYTES, SECTOR_BYTES).startswith(b"EFI PART"):
            return disk
        raise _unreadable(disk, said[-1] if said else str(error), device_path) from error
    if table.type == NO_TABLE:
        return disk
    sector_bytes = int(device.sectorSize)
    gpt = partition_uuids(read, sector_bytes, int(device.length)) if table.type == "gpt" else None
    children = (
        _partition(disk, partition, sector_bytes, gpt, first)
        for partition in table.partitions
        if _holds_data(parted, partition)
    )
    in_order = tuple(sorted(children, key=lambda child: child.partition_number))
    problems = tuple(message.replace(device_path, disk.path) for message in said)
    return replace(disk, partition_table=str(table.type), children=in_order, problems=(*disk.problems, *problems))


def _reader(piece: Slice) -> Callable[[int, int], bytes]:
    def read(offset: int, size: int) -> bytes:
        try:
            with Path(piece.path).open("rb", buffering=0) as disk:
                disk.seek(offset)
                return disk.read(size)
        except OverflowError:
            return b""
        except OSError as error:
            raise MachineLacksError(f"cannot be read: {error.strerror}", where=piece.path) from error

    return read


def _failures(ped: Any) -> tuple[type[Exception], ...]:  # noqa: ANN401 -- pyparted has no types
    return (ped.DiskException, ped.DiskLabelException, ped.DeviceException, ped.IOException, ped.UnknownTypeException)


@contextmanager
def _answering(parted: Any, said: list[str]) -> Iterator[None]:  # noqa: ANN401 -- pyparted has no types
    """Answer libparted's questions while it reads: the copy of a damaged GPT may be used, nothing may be mended."""

    def answer(_kind: int, options: int, message: str) -> int:
        said.append(" ".join(message.split()))
        for choice in (parted.EXCEPTION_RESOLVE_OK, parted.EXCEPTION_RESOLVE_CANCEL, parted.EXCEPTION_RESOLVE_IGNORE):
            if options & choice:
                return int(choice)
        return int(parted.EXCEPTION_RESOLVE_UNHANDLED)

    parted.register_exn_handler(answer)
    try:
        yield
    finally:
        parted.clear_exn_handler()


def _unreadable(disk: BlockDevice, message: str, device_path: str) -> BadInputError:
    return BadInputError(
        f"the partition table cannot be read: {message.replace(device_path, disk.path)}",
        where=disk.path,
        hint="an image may be cut short: compare its size with the disk's; a GPT has a copy at the end of the disk, "
        "which gdisk's recovery menu brings back",
    )


def has_boot_record(sector: bytes) -> bool:
    """Whether sector 0 holds a partition table, as opposed to the boot sector of a bare file system, or noise."""
    if sector[510:512] != b"\x55\xaa":
        return False
    entries = [sector[start : start + 16] for start in ENTRIES]
    return all(entry[0] in ACTIVE_FLAGS for entry in entries) and any(entry[4] for entry in entries)


def _holds_data(parted: Any, partition: Any) -> bool:  # noqa: ANN401 -- pyparted has no types
    kinds = parted.PARTITION_EXTENDED | parted.PARTITION_FREESPACE | parted.PARTITION_METADATA
    return not partition.type & kinds


def _partition(
    disk: BlockDevice,
    partition: Any,  # noqa: ANN401 -- pyparted has no types
    sector_bytes: int,
    gpt: Mapping[int, str] | None,
    first_sector: bytes,
) -> BlockDevice:
    offset = int(partition.geometry.start) * sector_bytes
    size = int(partition.geometry.length) * sector_bytes
    number = int(partition.number)
    if gpt is None:
        # the kernel's PARTUUID for this kind of table: block/partitions/msdos.c, set_info
        partition_uuid = f"{int.from_bytes(first_sector[DISK_SIGNATURE], 'little'):08x}-{number:02x}"
    else:
        partition_uuid = gpt.get(number, "")
    return BlockDevice(
        path=_partition_path(disk, number),
        kind=DeviceKind.PARTITION,
        size_bytes=size,
        piece=Slice(path=disk.piece.path, offset_bytes=disk.piece.offset_bytes + offset, size_bytes=size),
        partition_number=number,
        partition_uuid=partition_uuid,
        hardware=disk.hardware,
    )


def _partition_path(disk: BlockDevice, number: int) -> str:
    """As the kernel names it (block/partitions/core.c, disk_name): a `p` between two digits."""
    if disk.kind is DeviceKind.IMAGE:
        return f"{disk.path}#{number}"
    return f"{disk.path}p{number}" if disk.path[-1].isdigit() else f"{disk.path}{number}"

"""Which file system lies on each block device, by libblkid's probe (blkid), which reads and never writes."""

import re
from collections.abc import Iterator
from typing import Final

from bootrescue.devices.model import BlockDevice, DeviceKind
from bootrescue.errors import BadInputError
from bootrescue.filesystems.model import FileSystem
from bootrescue.host.host import Host
from bootrescue.host.runner import run

# blkid(8): 2 means nothing was recognised; 8 means two signatures contradict each other
NOTHING_FOUND: Final = 2
AMBIVALENT: Final = 8
AMBIGUOUS: Final = "ambiguous"
_ESCAPED: Final = re.compile(rb"\\(x[0-9a-f]{2}|.)")


def identify(host: Host, devices: tuple[BlockDevice, ...]) -> tuple[FileSystem, ...]:
    """Probe each partition, and each disk that has no partition table.

    Raises:
        BadInputError: an image holds neither a partition table nor a file system.
        MachineLacksError: blkid is missing or hangs.
    """
    found = []
    for device, grub_partition in _leaves(devices):
        host.report(f"probing {device.path}")
        file_system = _probe(device, grub_partition)
        if file_system is not None:
            found.append(file_system)
        elif device.kind is DeviceKind.IMAGE:
            raise BadInputError(
                "is no disk: neither a partition table nor a file system is in it",
                where=device.path,
                hint="give the raw image of a whole disk; a compressed or encrypted one must be opened first",
            )
    return tuple(found)


def _leaves(devices: tuple[BlockDevice, ...]) -> Iterator[tuple[BlockDevice, str]]:
    for device in devices:
        if device.left_out:
            continue
        if device.partition_table:
            for child in device.children:
                yield child, f"{device.partition_table}{child.partition_number}"
        else:
            yield device, ""


def _probe(device: BlockDevice, grub_partition: str) -> FileSystem | None:
    argv = ["blkid", "--probe", "--output", "export", "--offset", str(device.piece.offset_bytes)]
    if device.piece.size_bytes:
        argv += ["--size", str(device.piece.size_bytes)]
    completed = run([*argv, device.piece.path], accept=(0, NOTHING_FOUND, AMBIVALENT))
    if completed.exit_code == AMBIVALENT:
        return _file_system(device, {"TYPE": AMBIGUOUS}, grub_partition)
    values = parse_export(completed.stdout)
    return _file_system(device, values, grub_partition) if "TYPE" in values else None


def _file_system(device: BlockDevice, values: dict[str, str], grub_partition: str) -> FileSystem:
    return FileSystem(
        uuid=values.get("UUID", ""),
        type=values["TYPE"],
        label=values.get("LABEL", ""),
        device=device.path,
        piece=device.piece,
        size_bytes=device.size_bytes,
        partition_uuid=device.partition_uuid,
        grub_partition=grub_partition,
        hardware=device.hardware,
    )


def parse_export(text: bytes) -> dict[str, str]:
    """Read the output of `blkid --output export`: NAME=value lines.

    A backslash stands before what a shell would act on, and before the digits of a byte (util-linux 2.38,
    misc-utils/blkid.c, safe_print). A control character is shown as `^` and a letter, and stays so.
    """
    values = {}
    for line in text.split(b"\n"):
        name, equals, value = line.partition(b"=")
        if equals:
            plain = _ESCAPED.sub(_unescaped, value)
            values[name.decode("ascii", "replace")] = plain.decode("utf-8", "surrogateescape")
    return values


def _unescaped(escape: re.Match[bytes]) -> bytes:
    code = escape[1]
    return bytes((int(code[1:], 16),)) if len(code) > 1 else code

"""Disk image files as disks: what kind of image a file is, and whether it can be looked at."""

import os
import stat
from pathlib import Path
from typing import Final

from bootrescue.devices.hardware import QEMU_VIRTIO_DISK
from bootrescue.devices.model import BlockDevice, DeviceKind, Slice
from bootrescue.errors import BadInputError, UsageError

# docs/interop/qcow2.txt (QEMU 7.2), the VMDK 5.0, VHDX 1.0 and VDI headers
WRAPPED: Final = (
    (0, b"QFI\xfb", "qcow2"),
    (0, b"KDMV", "vmdk"),
    (0, b"vhdxfile", "vhdx"),
    (0, b"# Disk DescriptorFile", "vmdk"),
    (0, b"conectix", "vpc"),
    (0x40, b"\x7f\x10\xda\xbe", "vdi"),
)
SMALLEST_DISK_BYTES: Final = 1 << 20


def open_image(name: str) -> BlockDevice:
    """Describe a raw disk image.

    Raises:
        BadInputError: it cannot be read, is no disk, or has a format that must be converted first.
        UsageError: there is no such file, or it is a device.
    """
    path = Path(name)
    try:
        # before it is opened: a fifo would wait for ever
        _require_file(path.stat().st_mode, name)
        with path.open("rb") as stream:
            head = stream.read(4096)
            size = stream.seek(0, os.SEEK_END)
    except FileNotFoundError as error:
        raise UsageError("there is no such file", where=name, hint="give the file of a disk") from error
    except OSError as error:
        raise BadInputError(f"cannot be read: {error.strerror}", where=name, hint="give the file of a disk") from error
    for offset, magic, wrapper in WRAPPED:
        if head[offset : offset + len(magic)] == magic:
            raise BadInputError(
                f"is a {wrapper} image; only raw images are opened so far",
                where=name,
                hint=f"convert a copy: qemu-img convert -f {wrapper} -O raw {path.name} disk.img",
            )
    if size < SMALLEST_DISK_BYTES:
        raise BadInputError(
            f"is no disk: {size} bytes are too few for one", where=name, hint="give the image of a whole disk"
        )
    # absolute: a name that begins with a hyphen is no option of the programs that get it
    return BlockDevice(
        path=name,
        kind=DeviceKind.IMAGE,
        size_bytes=size,
        piece=Slice(path=str(path.resolve())),
        hardware=QEMU_VIRTIO_DISK,
    )


def _require_file(mode: int, name: str) -> None:
    if stat.S_ISBLK(mode):
        raise UsageError("is a block device", where=name, hint=f"a disk is given with --disk {name}")
    if not stat.S_ISREG(mode):
        raise BadInputError("is no file", where=name, hint="give the file of a disk")

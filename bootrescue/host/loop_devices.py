"""Attach a file, a disk or a slice of either to a loop device, read-only unless asked otherwise.

The kernel frees the device by itself when its last user is gone (LO_FLAGS_AUTOCLEAR), so a killed process leaves
none behind. ioctl numbers and structures: include/uapi/linux/loop.h, Linux 6.12.
"""

import errno
import fcntl
import os
import struct
from pathlib import Path
from typing import Final

from bootrescue.errors import MachineLacksError
from bootrescue.host.host import Host

LOOP_CTL_GET_FREE: Final = 0x4C82
LOOP_CONFIGURE: Final = 0x4C0A
LO_FLAGS_READ_ONLY: Final = 1
LO_FLAGS_AUTOCLEAR: Final = 4
# struct loop_config: fd, block_size, struct loop_info64 (232 bytes), 8 reserved u64
LOOP_CONFIG: Final = struct.Struct("=II QQQQQ IIII 64s 64s 32s QQ 64x")
# Another program may take the free number between our question and our use of it.
ATTEMPTS: Final = 16


def attach(host: Host, path: str, *, offset_bytes: int = 0, size_bytes: int = 0, writable: bool = False) -> str:
    """Attach a file, or a run of its bytes, for as long as the host lives; gives the path, such as /dev/loop3.

    A size of 0 bytes means: to the end.

    Raises:
        MachineLacksError: the file cannot be opened, or the kernel has no loop device to give.
    """
    try:
        backing = os.open(path, (os.O_RDWR if writable else os.O_RDONLY) | os.O_CLOEXEC)
    except OSError as error:
        raise MachineLacksError(f"cannot be opened: {error.strerror}", where=path) from error
    try:
        number, device = _configure(backing, path, (offset_bytes, size_bytes), writable=writable)
    finally:
        os.close(backing)
    host.resources.callback(os.close, device)
    return f"/dev/loop{number}"


def _configure(backing: int, path: str, place: tuple[int, int], *, writable: bool) -> tuple[int, int]:
    flags = LO_FLAGS_AUTOCLEAR | (0 if writable else LO_FLAGS_READ_ONLY)
    for _ in range(ATTEMPTS):
        number = _free_number()
        try:
            device = os.open(f"/dev/loop{number}", (os.O_RDWR if writable else os.O_RDONLY) | os.O_CLOEXEC)
        except OSError as error:
            raise MachineLacksError(f"cannot be opened: {error.strerror}", where=f"/dev/loop{number}") from error
        config = LOOP_CONFIG.pack(backing, 0, 0, 0, 0, *place, 0, 0, 0, flags, b"", b"", b"", 0, 0)
        try:
            fcntl.ioctl(device, LOOP_CONFIGURE, config)
        except OSError as error:
            os.close(device)
            if error.errno != errno.EBUSY:
                raise MachineLacksError(f"no loop device could be set up: {error.strerror}", where=path) from error
        else:
            return number, device
    raise MachineLacksError("no free loop device after several attempts", where=path)


def _free_number() -> int:
    try:
        control = os.open("/dev/loop-control", os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        raise MachineLacksError(
            f"loop devices are not available: {error.strerror}",
            hint="load the kernel module with modprobe loop",
        ) from error
    try:
        number = fcntl.ioctl(control, LOOP_CTL_GET_FREE)
    finally:
        os.close(control)
    if not Path(f"/dev/loop{number}").exists():
        os.mknod(f"/dev/loop{number}", 0o060600, os.makedev(7, number))
    return number

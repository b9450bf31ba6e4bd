"""Values that describe block devices."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """Where the bytes of a partition lie: a run in a file or block device. `size_bytes` 0 means: to its end."""

    path: str
    offset_bytes: int = 0
    size_bytes: int = 0


class DeviceKind(StrEnum):
    """What a block device is."""

    DISK = "disk"
    IMAGE = "image"
    PARTITION = "partition"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Which machine to look at: image files, named disks, or (neither given) every disk of this machine.

    `root` is a tree that is mounted already, or a plain directory; it excludes the others.
    """

    images: tuple[str, ...] = ()
    disks: tuple[str, ...] = ()
    root: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hardware:
    """What stands between the processor and a disk, as the modaliases by which its parts ask for drivers.

    Attributes:
        modaliases: from the disk up to the bus; empty when nothing is known.
        drivers: (modalias, module name) of the driver that serves a part, where that is known by name too: what is
            built into a kernel is listed by name (modules.builtin), and by modalias not before Linux 6.18.
        assumed: true for a disk image, which is judged for the machine that the boot proof gives it.
    """

    modaliases: tuple[str, ...] = ()
    drivers: tuple[tuple[str, str], ...] = ()
    assumed: bool = False


NOT_KNOWN: Final = Hardware()


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockDevice:
    """A disk, a disk image or a partition.

    Attributes:
        path: how it is named to the operator: `/dev/sda`, `disk.img`, `disk.img#1`.
        piece: where its bytes lie.
        partition_table: `gpt`, `msdos`, ...; empty when there is none.
        problems: what could not be read of it, in words.
        left_out: why it is not looked into; empty when it is.
    """

    path: str
    kind: DeviceKind
    size_bytes: int
    piece: Slice
    serial: str = ""
    model: str = ""
    partition_table: str = ""
    partition_number: int = 0
    partition_uuid: str = ""
    hardware: Hardware = NOT_KNOWN
    children: tuple["BlockDevice", ...] = ()
    problems: tuple[str, ...] = ()
    left_out: str = ""

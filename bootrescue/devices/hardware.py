"""The way to a disk: which parts of the machine stand on it, and by which modalias each asks for its driver."""

from pathlib import Path
from typing import Final

from bootrescue.devices.model import Hardware

# The machine that the boot proof gives to a disk image (include/uapi/linux/virtio_ids.h: 2 is the block device,
# 0x1042 the PCI id of its modern form).
_DISK: Final = "virtio:d00000002v00001AF4"
_BUS: Final = "pci:v00001AF4d00001042sv00001AF4sd00001100bc01sc00i00"
QEMU_VIRTIO_DISK: Final = Hardware(
    modaliases=(_DISK, _BUS), drivers=((_DISK, "virtio_blk"), (_BUS, "virtio_pci")), assumed=True
)


def hardware_of(sysfs_path: str) -> Hardware:
    """Collect the modaliases from a block device up to the root of the device tree.

    A device without any (a loop device) holds a disk image, in effect, and is judged like one.
    """
    modaliases = []
    drivers = []
    directory = Path(sysfs_path).resolve()
    for place in (directory, *directory.parents):
        if place == Path("/sys/devices"):
            break
        try:
            text = (place / "modalias").read_text(encoding="ascii", errors="replace").strip()
        except OSError:
            continue
        if text:
            modaliases.append(text)
            drivers += [(text, name) for name in _driver_at(place)]
    return Hardware(modaliases=tuple(modaliases), drivers=tuple(drivers)) if modaliases else QEMU_VIRTIO_DISK


def _driver_at(place: Path) -> tuple[str, ...]:
    """The module name of the driver that this machine uses for a part; a driver's own name may have dashes."""
    for link in (place / "driver/module", place / "driver"):
        if link.exists():
            return (link.resolve().name.replace("-", "_"),)
    return ()

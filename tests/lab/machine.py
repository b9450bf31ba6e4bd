"""The value that describes a lab machine: what lies where on its disk, and what a break will look for."""

import json
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path

from tests.lab.disk import attached, copy_sparse, mounted, scratch_directory, slices

SIDECAR_SUFFIX = ".lab.json"


class Firmware(StrEnum):
    """How a machine is started."""

    BIOS = "bios"
    UEFI = "uefi"


@dataclass(frozen=True, slots=True, kw_only=True)
class LabMachine:
    """One bootable disk; paths are those that the installed system itself would use."""

    name: str
    disk: Path
    firmware_modes: tuple[Firmware, ...]
    entries: tuple[str, ...]
    kernel_release: str
    kernel: str
    initrd: str
    root_partition: int
    root_uuid: str
    boot_partition: int | None
    boot_uuid: str | None
    storage_module: str = "virtio_blk"
    file_system_module: str = "ext4"
    backup: str = "/root/old/i40e-backup.bin"

    def copy_to(self, path: Path) -> "LabMachine":
        """Make a copy of the disk that may be broken; a note beside it says which machine it is."""
        copy_sparse(self.disk, path)
        copied = replace(self, disk=path)
        copied.save()
        return copied

    def save(self) -> None:
        """Write the note from which `machine_of` knows the image again."""
        text = json.dumps({**asdict(self), "disk": self.disk.name}, indent=2)
        _sidecar(self.disk).write_text(text + "\n", encoding="utf-8")


def machine_of(disk: Path) -> LabMachine:
    """Read the note beside an image that `build` or `copy_to` made."""
    values = json.loads(_sidecar(disk).read_text(encoding="utf-8"))
    modes = tuple(Firmware(mode) for mode in values["firmware_modes"])
    return LabMachine(**{**values, "disk": disk, "firmware_modes": modes, "entries": tuple(values["entries"])})


def identity(machine: str, purpose: str) -> uuid.UUID:
    """Return a UUID that is always the same for one purpose of one machine, so that images are comparable."""
    return uuid.uuid5(uuid.NAMESPACE_DNS, f"{purpose}.{machine}.lab.bootrescue.example")


@contextmanager
def installed_system(machine: LabMachine, *, read_only: bool = False) -> Iterator[Path]:
    """Mount the machine's root, and its /boot if that is a partition of its own."""
    parts = {part.number: part for part in slices(machine.disk)}
    with ExitStack() as stack:
        root = stack.enter_context(scratch_directory()) / "root"
        options = ("ro",) if read_only else ()
        device = stack.enter_context(attached(machine.disk, parts[machine.root_partition], read_only=read_only))
        stack.enter_context(mounted(device, root, *options))
        if machine.boot_partition is not None:
            part = parts[machine.boot_partition]
            device = stack.enter_context(attached(machine.disk, part, read_only=read_only))
            stack.enter_context(mounted(device, root / "boot", *options))
        yield root


def _sidecar(disk: Path) -> Path:
    return disk.with_name(disk.name + SIDECAR_SUFFIX)

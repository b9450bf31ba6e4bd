"""The virtual machine of a boot proof: QEMU's command line for one disk overlay."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from bootrescue.errors import MachineLacksError

# Where Debian and Ubuntu (package ovmf) and Fedora keep the firmware: code and a template of its variables
FIRMWARE: Final = (
    ("/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"),
    ("/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd"),
    ("/usr/share/edk2/ovmf/OVMF_CODE.fd", "/usr/share/edk2/ovmf/OVMF_VARS.fd"),
)
MEMORY_MB: Final = 1024


class Bus(StrEnum):
    """What the disk hangs on in the virtual machine."""

    VIRTIO = "virtio-blk"
    AHCI = "ahci"
    NVME = "nvme"


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualMachine:
    """What to boot and how. `console` and `witness` are files that its two serial ports write to."""

    disk: Path
    console: Path
    witness: Path
    bus: Bus = Bus.VIRTIO
    uefi: bool = False
    variables: Path | None = None


def qemu_argv(machine: VirtualMachine) -> list[str]:
    """QEMU's arguments. TCG only: an accelerator is trusted after a trial, which no proof makes yet.

    `-cpu max` without LA57 and CX16 is what boots reliably under TCG (measured, docs/explanation/boot-proof.md).
    """
    argv = [
        "qemu-system-x86_64",
        "-machine", "q35",
        "-accel", "tcg,thread=multi",
        "-cpu", "max,la57=off,cx16=off",
        "-smp", "2",
        "-m", str(MEMORY_MB),
        "-nodefaults",
        "-no-user-config",
        "-no-reboot",
        "-display", "none",
        "-vga", "std",
        "-chardev", f"file,id=console,path={machine.console}",
        "-serial", "chardev:console",
        "-chardev", f"file,id=witness,path={machine.witness}",
        "-serial", "chardev:witness",
        "-drive", f"if=none,id=disk,format=qcow2,cache=unsafe,file={machine.disk}",
        *_disk_device(machine.bus),
    ]  # fmt: skip
    if machine.uefi:
        argv += [
            "-drive", f"if=pflash,format=raw,readonly=on,file={firmware()[0]}",
            "-drive", f"if=pflash,format=raw,file={machine.variables}",
        ]  # fmt: skip
    return argv


def _disk_device(bus: Bus) -> list[str]:
    match bus:
        case Bus.VIRTIO:
            return ["-device", "virtio-blk-pci,drive=disk,bootindex=0"]
        case Bus.AHCI:
            return ["-device", "ide-hd,bus=ide.0,drive=disk,bootindex=0"]
        case Bus.NVME:
            return ["-device", "nvme,drive=disk,serial=bootrescue,bootindex=0"]


def firmware() -> tuple[str, str]:
    """The UEFI firmware's code, and the template of its variables.

    Raises:
        MachineLacksError: there is none on this machine.
    """
    for code, variables in FIRMWARE:
        if Path(code).exists() and Path(variables).exists():
            return code, variables
    raise MachineLacksError("no UEFI firmware for QEMU was found", hint="install the package ovmf")

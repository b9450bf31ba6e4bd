"""Boot the target in QEMU on an overlay, by its own firmware mode, loader and default entry, until its witness speaks.

Success is a token chosen for this run, said by a script that lies in the overlay's root file system only and is
started by the target's own init. Not one byte of the disk changes.
"""

import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bootrescue.devices.model import Slice
from bootrescue.errors import MachineLacksError
from bootrescue.filesystems.mounting import mount_slice
from bootrescue.host.confined import ConfinedRoot
from bootrescue.host.durable import copy_here
from bootrescue.host.host import Host
from bootrescue.host.mounts import unmounted
from bootrescue.host.runner import Running, running
from bootrescue.host.tools import find_tool
from bootrescue.systems.model import FirmwareMode, InstalledSystem
from bootrescue.verification.console import has_ended, telling_line
from bootrescue.verification.disk_overlay import exported, make_overlay
from bootrescue.verification.machine import MEMORY_MB, Bus, VirtualMachine, firmware, qemu_argv
from bootrescue.verification.model import Outcome, Proof
from bootrescue.verification.witness import SAID, place

# systemd under TCG takes a minute to its login prompt; dracut alone waits three before it gives up
LIMIT_SECONDS: Final = 300.0
# The lines after the fatal one often hold the reason
GRACE_SECONDS: Final = 2.0
CONSOLE_LIMIT_BYTES: Final = 8 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class BootProof:
    """What came of a boot: the proof, the whole console, and how long it took."""

    proof: Proof
    console: bytes
    duration_seconds: float


def prove_boot(host: Host, system: InstalledSystem, *, bus: Bus = Bus.VIRTIO, uefi: bool | None = None) -> BootProof:
    """Boot the disk that holds a system's root, on an overlay.

    Raises:
        MachineLacksError: QEMU, FUSE, firmware or memory is missing here.
    """
    if system.root.type == "directory":
        raise MachineLacksError("a directory cannot be booted; give the disk", where=system.root.device)
    require_possible()
    token = secrets.token_hex(16)
    overlay = make_overlay(host, system.root.piece.path)
    host.report("boot proof: preparing the overlay")
    kind = _place_witness(host, overlay, system, token)
    by_uefi = system.firmware is FirmwareMode.UEFI if uefi is None else uefi
    machine = _machine(host, overlay, bus, uefi=by_uefi)
    started = time.monotonic()
    with running(qemu_argv(machine)) as qemu:
        ended = _watch(host, qemu, machine, token)
    seconds = time.monotonic() - started
    console = _read(machine.console)
    way = f"{'UEFI' if by_uefi else 'BIOS'}, {bus}, {kind}, {seconds:.0f} s"
    if ended == "":
        proof = Proof(outcome=Outcome.PROVED, evidence=(f"the machine's own init said the token ({way})",))
    else:
        lines = (ended, telling_line(console), way)
        proof = Proof(outcome=Outcome.FAILED, evidence=tuple(line for line in lines if line))
    return BootProof(proof=proof, console=console, duration_seconds=seconds)


def require_possible() -> None:
    """Refuse early where no boot proof can be made, before anything is written.

    Raises:
        MachineLacksError: QEMU, FUSE or memory is missing here.
    """
    for tool in ("qemu-system-x86_64", "qemu-img", "qemu-storage-daemon"):
        find_tool(tool)
    if not Path("/dev/fuse").exists():
        raise MachineLacksError("a boot proof needs FUSE", where="/dev/fuse", hint="modprobe fuse")
    _require_memory()


def _require_memory() -> None:
    for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
        name, _, value = line.partition(":")
        if name == "MemAvailable" and int(value.split()[0]) < MEMORY_MB * 1024:
            raise MachineLacksError(f"a boot proof needs {MEMORY_MB} MB of free memory", hint="close other programs")


def _place_witness(host: Host, overlay: Path, system: InstalledSystem, token: str) -> str:
    piece = system.root.piece
    with exported(host, overlay) as raw:
        inner = Slice(path=raw, offset_bytes=piece.offset_bytes, size_bytes=piece.size_bytes)
        with host.scope() as inside:
            mount_point = mount_slice(inside, inner, system.root.type, writable=True)
            kind = place(ConfinedRoot(path=mount_point), token)
            unmounted(mount_point)
    return kind


def _machine(host: Host, overlay: Path, bus: Bus, *, uefi: bool) -> VirtualMachine:
    ports = host.new_directory("ports")
    variables = None
    if uefi:
        variables = ports / "variables.fd"
        copy_here(Path(firmware()[1]), variables)
    return VirtualMachine(
        disk=overlay,
        console=ports / "console",
        witness=ports / "witness",
        bus=bus,
        uefi=uefi,
        variables=variables,
    )


def _watch(host: Host, qemu: Running, machine: VirtualMachine, token: str) -> str:
    """Wait for the token; gives an empty text when it came, else why it will not."""
    wanted = f"{SAID} {token}".encode()
    deadline = time.monotonic() + LIMIT_SECONDS
    while time.monotonic() < deadline:
        if wanted in _read(machine.witness):
            return ""
        console = _read(machine.console)
        host.report(f"boot proof: {_last_line(console)}")
        if qemu.poll() is not None:
            reason = qemu.error_text()
            return f"the virtual machine ended by itself{': ' + reason if reason else ''}"
        if has_ended(console):
            _linger(qemu)
            return "the boot ended without reaching the root file system's init"
        time.sleep(0.2)
    return f"no word from the machine's init within {LIMIT_SECONDS:.0f} seconds"


def _linger(qemu: Running) -> None:
    qemu.wait(GRACE_SECONDS)


def _last_line(console: bytes) -> str:
    lines = console[-400:].split(b"\n")
    return lines[-1].decode(errors="replace").strip()[:60] if lines else ""


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(CONSOLE_LIMIT_BYTES)
    except FileNotFoundError:
        return b""

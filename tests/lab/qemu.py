"""Boots a disk image in QEMU and believes the boot only if the guest says the token chosen for it."""

import os
import re
import secrets
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.lab.commands import LabError
from tests.lab.guest import ARRIVAL_MARK
from tests.lab.machine import Firmware

LIMIT_SECONDS = 300.0
POLL_SECONDS = 0.2
# A console that names its failure goes on for a moment: what it says then explains the failure.
GRACE_SECONDS = 3.0

FAILURES = (
    "ALERT!",
    "(initramfs)",  # the prompt of the initramfs-tools shell, however it got there
    "dracut: FATAL",
    "dracut: Refusing to continue",
    "Could not boot",
    "Kernel panic",
    "emergency mode",
    "emergency shell",
    "error: you need to load the kernel first",
    "grub rescue>",
    "No bootable device",
    "BdsDxe: failed to load",
)

OVMF_FILES = (
    ("OVMF_CODE_4M.fd", "OVMF_VARS_4M.fd"),
    ("OVMF_CODE.fd", "OVMF_VARS.fd"),
)
OVMF_DIRECTORY = Path("/usr/share/OVMF")


@dataclass(frozen=True, slots=True, kw_only=True)
class BootResult:
    """What a boot came to: `reached` means that the guest's own init said this boot's token."""

    reached: bool
    token: str
    token_line: str
    console: str
    seconds: float
    reason: str


def boot(
    image: Path,
    firmware: Firmware | str = Firmware.BIOS,
    *,
    keep_changes: bool = False,
    memory_mib: int = 768,
) -> BootResult:
    """Boot an image until its token, its failure or the limit; the image changes only if told so."""
    token = secrets.token_hex(16)
    with tempfile.TemporaryDirectory(prefix="bootrescue-lab-boot-") as name:
        directory = Path(name)
        argv = _arguments(image, token, directory, memory_mib=memory_mib, keep_changes=keep_changes)
        if Firmware(firmware) is Firmware.UEFI:
            argv += _uefi_arguments(directory)
        started = time.monotonic()
        with subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        ) as process:
            try:
                reason = _watch(process, directory, token, started)
            finally:
                process.kill()
        seconds = time.monotonic() - started
        line = _token_line(directory, token)
        console = _text(directory / "console")
    return BootResult(reached=bool(line), token=token, token_line=line, console=console, seconds=seconds, reason=reason)


def _arguments(image: Path, token: str, directory: Path, *, memory_mib: int, keep_changes: bool) -> list[str]:
    return [
        "qemu-system-x86_64",
        "-nodefaults",
        "-no-user-config",
        "-no-reboot",
        "-display", "none",
        "-machine", "pc",
        "-accel", "tcg,thread=multi",
        "-cpu", os.environ.get("BOOTRESCUE_LAB_CPU", "max,la57=off,cx16=off"),
        "-smp", "1",
        "-m", str(memory_mib),
        "-smbios", f"type=1,serial={token}",
        "-chardev", f"file,id=console,path={directory / 'console'}",
        "-serial", "chardev:console",
        "-chardev", f"file,id=token,path={directory / 'token'}",
        "-serial", "chardev:token",
        "-drive", f"file={image},format=raw,if=none,id=disk,snapshot={'off' if keep_changes else 'on'}",
        "-device", "virtio-blk-pci,drive=disk,bootindex=1",
    ]  # fmt: skip


def _uefi_arguments(directory: Path) -> list[str]:
    for code, variables in OVMF_FILES:
        if (OVMF_DIRECTORY / code).exists():
            own = directory / "variables"
            shutil.copyfile(OVMF_DIRECTORY / variables, own)
            return [
                "-drive", f"if=pflash,unit=0,format=raw,readonly=on,file={OVMF_DIRECTORY / code}",
                "-drive", f"if=pflash,unit=1,format=raw,file={own}",
            ]  # fmt: skip
    raise LabError(f"no UEFI firmware in {OVMF_DIRECTORY}: install the package ovmf")


def _watch(process: subprocess.Popen[bytes], directory: Path, token: str, started: float) -> str:
    """Wait for the first thing that decides the boot, and say what it was."""
    failure, deadline = "", started + LIMIT_SECONDS
    while time.monotonic() < deadline:
        if _token_line(directory, token):
            return "token"
        if process.poll() is not None:
            said = process.stderr.read().decode(errors="replace").strip() if process.stderr else ""
            return failure or f"the machine ended by itself (status {process.returncode}) {said}".strip()
        if not failure and (failure := _failure(_text(directory / "console"))):
            deadline = min(deadline, time.monotonic() + GRACE_SECONDS)
        time.sleep(POLL_SECONDS)
    return failure or f"no token within {LIMIT_SECONDS:.0f} s"


def _failure(console: str) -> str:
    return next((line.strip() for line in console.splitlines() if any(word in line for word in FAILURES)), "")


def _token_line(directory: Path, token: str) -> str:
    """Return the line with this boot's token once it is complete.

    OVMF draws its console on every serial port it finds, so the guest's line may begin in the middle of one.
    """
    found = re.search(rf"{ARRIVAL_MARK} {token} [^\r\n]*(?=[\r\n])", _text(directory / "token"))
    return found[0] if found else ""


def _text(path: Path) -> str:
    return path.read_bytes().decode(errors="replace") if path.exists() else ""

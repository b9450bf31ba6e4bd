"""What a guest's console tells: whether the boot has failed for good, and which line says why."""

import re
from typing import Final

# After these nothing more comes by itself.
ENDS: Final = (
    re.compile(rb"Kernel panic - not syncing"),
    re.compile(rb"ALERT!.*does not exist\.\s+Dropping to a shell"),
    re.compile(rb"Dropping to a shell!?"),
    re.compile(rb"\(initramfs\)"),
    re.compile(rb"dracut.*: (?:FATAL|Warning: Could not boot)"),
    re.compile(rb"Entering emergency mode|Press Enter for maintenance|emergency mode!"),
    re.compile(rb"grub rescue>"),
    re.compile(rb"No bootable device"),
    re.compile(rb"dracut: Refusing to continue"),
)
# What tells the cause rather than the consequence, the most telling first (kernel/module/main.c, init/initramfs.c,
# init/do_mounts.c, Linux 6.12; initramfs-tools scripts/local; dracut modules.d).
CAUSES: Final = (
    re.compile(rb"module has no symbols \(stripped\?\)"),
    re.compile(rb"version magic '.*' should be '"),
    re.compile(rb"disagrees about version of symbol|Unknown symbol"),
    re.compile(rb"Initramfs unpacking failed|junk (?:within|at the end of) compressed archive"),
    re.compile(rb"unknown filesystem type"),
    re.compile(rb"Module .* not found in directory|No such device"),
    re.compile(rb"error: file .* not found|error: no such device|error: you need to load the kernel first"),
    re.compile(rb"ALERT!.*does not exist"),
    re.compile(rb"Could not boot|dracut-initqueue.*timeout"),
    re.compile(rb"No working init found|Unable to mount root fs"),
    re.compile(rb"Kernel panic - not syncing"),
)
_ESCAPES: Final = re.compile(rb"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f]")


def has_ended(console: bytes) -> bool:
    """Whether the boot has failed for good."""
    return any(pattern.search(console) for pattern in ENDS)


def telling_line(console: bytes) -> str:
    """The line that tells the cause of a failed boot; the last line where none is known; empty for no output."""
    lines = [line for line in clean(console).splitlines() if line.strip()]
    for pattern in CAUSES:
        for line in lines:
            if pattern.search(line):
                return line.decode(errors="replace").strip()
    return lines[-1].decode(errors="replace").strip() if lines else ""


def clean(console: bytes) -> bytes:
    """The console's text without escape sequences and control characters."""
    return _ESCAPES.sub(b"", console.replace(b"\r\n", b"\n").replace(b"\r", b"\n"))

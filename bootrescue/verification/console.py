"""What a guest's console tells: whether the boot has failed for good, and which line says why."""

import re
from typing import Final

# After these nothing more comes by itself.
ENDS: Final = (
    re.compile(rb"Kernel panic - not syncing"),
    re.compile(rb"Dropping to a shell!?"),
    re.compile(rb"^\(initramfs\)", re.MULTILINE),
    re.compile(rb"dracut.*(?:FATAL:|Warning: Could not boot|Refusing to continue)"),
    re.compile(rb"Entering emergency mode|Press Enter for maintenance|You are in emergency mode"),
    re.compile(rb"^grub(?: rescue)?> ?", re.MULTILINE),
    re.compile(rb"Failed to boot both default and fallback entries"),
    re.compile(rb"No bootable (?:device|option or device)"),
)
# The kernel's first line; what stands before it is firmware and loader.
KERNEL_START: Final = re.compile(rb"^.*Linux version [0-9].*$", re.MULTILINE)
# Said by what lies in the image, and so a proof that the kernel unpacked enough of it
IMAGE_SPOKE: Final = re.compile(rb"Run /init as init process|Loading, please wait|dracut|systemd\[1\]|\(initramfs\)")
# Seen with padded LZ4 images and with trailing garbage; where the image spoke afterwards, all of it was unpacked
OFTEN_HARMLESS: Final = re.compile(rb"unpacking failed: Decoding failed|junk (?:within|at the end of|in) compressed")
UNPACKING: Final = re.compile(rb"Initramfs unpacking failed|junk (?:within|at the end of|in) compressed archive")
# What tells the cause rather than the consequence, the most telling first (kernel/module/main.c, init/initramfs.c,
# init/do_mounts.c, Linux 6.12; initramfs-tools scripts/local; dracut modules.d).
KERNEL_CAUSES: Final = (
    re.compile(rb"module has no symbols \(stripped\?\)"),
    re.compile(rb"version magic '.*' should be '"),
    re.compile(rb"disagrees about version of symbol|Unknown symbol"),
    UNPACKING,
    re.compile(rb"XFS \(.*\): .*orrupt|EXT4-fs error|BTRFS.*(?:open_ctree failed|corrupt)"),
    re.compile(rb"unknown filesystem type"),
    re.compile(rb"Module \S+ not found in directory|mount.*: No such device"),
    re.compile(rb"ALERT!.*does not exist"),
    re.compile(rb"Could not boot|dracut-initqueue.*timeout"),
    re.compile(rb"Failed to mount /sysroot|Can't mount root filesystem"),
    re.compile(rb"No working init found|Unable to mount root fs"),
    re.compile(rb"Kernel panic - not syncing"),
)
LOADER_CAUSES: Final = (
    re.compile(rb"error: .*(?:not found|invalid|out of memory|bad shim|read error|too small|denied)"),
    re.compile(rb"error: (?!you need to load the kernel first).*"),
    re.compile(rb"No bootable (?:device|option or device)"),
)
_ESCAPES: Final = re.compile(rb"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f]")


def has_ended(console: bytes) -> bool:
    """Whether the boot has failed for good."""
    text = clean(console)
    return any(pattern.search(text) for pattern in ENDS)


def telling_line(console: bytes) -> str:
    """The line that tells the cause of a failed boot; the last line where none is known; empty for no output."""
    text = clean(console)
    starts = list(KERNEL_START.finditer(text))
    if starts:
        text = text[starts[-1].start() :]
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    # With `quiet` the kernel's first line is not shown, and what the loader said before may have been harmless.
    for pattern in KERNEL_CAUSES if starts else (*KERNEL_CAUSES, *LOADER_CAUSES):
        for number, line in enumerate(lines):
            if pattern.search(line) and not _is_harmless(line, lines[number + 1 :]):
                return line.decode(errors="replace")
    return lines[-1].decode(errors="replace") if lines else ""


def _is_harmless(line: bytes, later: list[bytes]) -> bool:
    return bool(OFTEN_HARMLESS.search(line)) and any(IMAGE_SPOKE.search(one) for one in later)


def clean(console: bytes) -> bytes:
    """The console's text without escape sequences and control characters."""
    return _ESCAPES.sub(b"", console.replace(b"\r\n", b"\n").replace(b"\r", b"\n"))

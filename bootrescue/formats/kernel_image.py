"""Kernel images: which release a vmlinuz is, from its header or from the banner in it.

Sources: Documentation/arch/x86/boot.rst (protocol 2.15) for bzImage; drivers/firmware/efi/libstub/zboot-header.S for
EFI zboot; init/version-timestamp.c for the banner; all Linux 6.12.
"""

from dataclasses import dataclass
from enum import StrEnum

from bootrescue.errors import BadInputError
from bootrescue.formats.compression import Codec, decompress, identify_codec

BZIMAGE_HEAD_SIZE_BYTES = 64 * 1024
"""Enough of a bzImage to find its version: the pointer to it is a u16."""

ZBOOT_LIMIT_BYTES = 256 << 20
"""Largest unpacked kernel that is looked into; a distribution's has 30 to 80 MB."""

_SETUP_MAGIC = b"HdrS"
_SETUP_MAGIC_AT = 0x202
_PROTOCOL_AT = 0x206
_VERSION_POINTER_AT = 0x20E
_VERSION_BASE = 0x200
_FIRST_PROTOCOL = 0x0200
"""Older boot protocols have no version pointer."""

_BANNER = b"Linux version "
_BANNER_LIMIT_BYTES = 512
_ZBOOT_MAGIC = b"zimg"
_ARM64_MAGIC = b"ARM\x64"
_ARM64_MAGIC_AT = 0x38


class KernelImageFormat(StrEnum):
    """How a kernel is wrapped; UNKNOWN where only the banner told that it is one."""

    BZIMAGE = "bzimage"
    ELF = "elf"
    EFI_ZBOOT = "efi-zboot"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelImage:
    """A kernel's release (as `uname -r` says it), the line it was found in, and its wrapping."""

    release: str
    banner: str
    format: KernelImageFormat


def parse_kernel_image(data: bytes) -> KernelImage:
    """Find the release; the first 64 KiB of a bzImage suffice, of the other formats all is needed.

    Raises:
        BadInputError: it is no kernel, or its version cannot be found.
    """
    if data[_SETUP_MAGIC_AT : _SETUP_MAGIC_AT + 4] == _SETUP_MAGIC:
        return _parse_bzimage(data)
    if data[:2] == b"MZ" and data[4:8] == _ZBOOT_MAGIC:
        return _parse_zboot(data)
    if data[:4] == b"\x7fELF":
        return _from_banner(data, KernelImageFormat.ELF)
    if data[_ARM64_MAGIC_AT : _ARM64_MAGIC_AT + 4] == _ARM64_MAGIC:
        return _from_banner(data, KernelImageFormat.UNKNOWN)
    if identify_codec(data) is Codec.GZIP:  # arm64's Image.gz
        return _from_banner(decompress(data, limit_bytes=ZBOOT_LIMIT_BYTES), KernelImageFormat.UNKNOWN)
    raise BadInputError("it is no kernel image that is known here")


def _parse_bzimage(data: bytes) -> KernelImage:
    protocol = int.from_bytes(data[_PROTOCOL_AT : _PROTOCOL_AT + 2], "little")
    pointer = int.from_bytes(data[_VERSION_POINTER_AT : _VERSION_POINTER_AT + 2], "little")
    if protocol < _FIRST_PROTOCOL or not pointer:
        raise BadInputError("the bzImage does not tell its version")
    start = _VERSION_BASE + pointer
    return _image(data[start : start + _BANNER_LIMIT_BYTES], KernelImageFormat.BZIMAGE)


def _parse_zboot(data: bytes) -> KernelImage:
    """Unpack the payload: its offset and size stand at 8 and 12, little-endian."""
    offset = int.from_bytes(data[8:12], "little")
    size = int.from_bytes(data[12:16], "little")
    payload = data[offset : offset + size]
    if len(payload) < size or not size:
        raise BadInputError("the EFI zboot image is cut")
    return _from_banner(decompress(payload, limit_bytes=ZBOOT_LIMIT_BYTES), KernelImageFormat.EFI_ZBOOT)


def _from_banner(data: bytes, kind: KernelImageFormat) -> KernelImage:
    """Find "Linux version <release> (...)"; a printk format with a % is none."""
    start = data.find(_BANNER)
    while start >= 0:
        start += len(_BANNER)
        if data[start : start + 1].isdigit():
            return _image(data[start : start + _BANNER_LIMIT_BYTES], kind)
        start = data.find(_BANNER, start)
    raise BadInputError("no kernel banner is in it")


def _image(text: bytes, kind: KernelImageFormat) -> KernelImage:
    banner, end, _ = text.partition(b"\0")
    line = banner.decode("ascii", "replace").strip()
    release = line.partition(" ")[0]
    if not end or not release or not release.isprintable():
        raise BadInputError("the kernel's version is cut or damaged")
    return KernelImage(release=release, banner=line, format=kind)

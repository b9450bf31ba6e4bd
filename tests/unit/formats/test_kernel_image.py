"""Kernel images and their releases."""

import gzip

import pytest

from bootrescue.errors import BadInputError
from bootrescue.formats.kernel_image import BZIMAGE_HEAD_SIZE_BYTES, KernelImageFormat, parse_kernel_image
from tests.image_builders import bzimage, gzip_packed, zstd_packed

BANNER = b"Linux version %s (%s)\0Linux version 6.6.1-arm64 (builder@host) #1 SMP\n\0"


def test_bzimage_needs_its_head_only() -> None:
    kernel = parse_kernel_image((bzimage() + bytes(1 << 20))[:BZIMAGE_HEAD_SIZE_BYTES])
    assert kernel.release == "6.1.0-18-amd64"
    assert kernel.banner == "6.1.0-18-amd64 (builder@host) #1 SMP Debian 6.1.76-1"
    assert kernel.format is KernelImageFormat.BZIMAGE


@pytest.mark.parametrize("pack", [gzip_packed, zstd_packed])
def test_zboot_is_unpacked(pack: type) -> None:
    payload = pack(bytes(5000) + BANNER)
    head = b"MZ\0\0zimg" + (64).to_bytes(4, "little") + len(payload).to_bytes(4, "little")
    kernel = parse_kernel_image(head.ljust(64, b"\0") + payload)
    assert (kernel.release, kernel.format) == ("6.6.1-arm64", KernelImageFormat.EFI_ZBOOT)
    with pytest.raises(BadInputError, match="cut"):
        parse_kernel_image((head.ljust(64, b"\0") + payload)[:-1])


def test_elf_and_bare_arm64_images() -> None:
    assert parse_kernel_image(b"\x7fELF" + bytes(100) + BANNER).format is KernelImageFormat.ELF
    bare = bytes(0x38) + b"ARM\x64" + BANNER
    assert parse_kernel_image(bare).release == "6.6.1-arm64"
    assert parse_kernel_image(gzip.compress(bare)).release == "6.6.1-arm64"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"MZ" + bytes(1000),
        b"\x7fELF" + bytes(1000),
        bzimage()[:0x3005],
        bzimage().replace(b"6.1.0-18-amd64", bytes(14)),
        bzimage().replace(b"HdrS\x0f\x02", b"HdrS\x01\x01"),
        gzip.compress(b"no kernel"),
        gzip.compress(b"no kernel")[:12],
    ],
)
def test_what_is_no_kernel(data: bytes) -> None:
    with pytest.raises(BadInputError):
        parse_kernel_image(data)

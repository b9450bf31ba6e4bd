"""Builds initramfs images and kernel modules from nothing, the sound ones and the odd ones."""

import bz2
import gzip
import lzma
import struct
from collections.abc import Callable
from dataclasses import dataclass, field

import cramjam
import zstandard

TRAILER = b"TRAILER!!!"


@dataclass(frozen=True, slots=True, kw_only=True)
class CpioFile:
    """One entry to be written; the overrides make it lie about itself."""

    name: bytes
    body: bytes = b""
    mode: int = 0o100644
    nlink: int = 1
    ino: int = 0
    magic: bytes = b"070701"
    checksum: int | None = None
    name_size: int | None = None
    body_size: int | None = None
    name_end: bytes = b"\0"


def cpio_entry(entry: CpioFile) -> bytes:
    """Write one entry with its padding."""
    stored_name = entry.name + entry.name_end
    checksum = sum(entry.body) if entry.magic == b"070702" else 0
    fields = (
        entry.ino,
        entry.mode,
        0,
        0,
        entry.nlink,
        1700000000,
        len(entry.body) if entry.body_size is None else entry.body_size,
        8,
        1,
        0,
        0,
        len(stored_name) if entry.name_size is None else entry.name_size,
        checksum if entry.checksum is None else entry.checksum,
    )
    head = entry.magic + b"".join(b"%08X" % number for number in fields) + stored_name
    return aligned(head) + aligned(entry.body)


def aligned(data: bytes, to: int = 4) -> bytes:
    """Pad with NULs."""
    return data + bytes(-len(data) % to)


def file(name: str, body: bytes = b"", mode: int = 0o644) -> CpioFile:
    """Describe a regular file."""
    return CpioFile(name=name.encode(), body=body, mode=0o100000 | mode)


def directory(name: str) -> CpioFile:
    """Describe a directory."""
    return CpioFile(name=name.encode(), mode=0o040755, nlink=2)


def link(name: str, target: str) -> CpioFile:
    """Describe a symbolic link."""
    return CpioFile(name=name.encode(), body=target.encode(), mode=0o120777)


def archive(*entries: CpioFile, trailer: bool = True) -> bytes:
    """Write an archive; its length is a multiple of 4."""
    written = b"".join(cpio_entry(entry) for entry in entries)
    return written + (cpio_entry(CpioFile(name=TRAILER, mode=0)) if trailer else b"")


def small_tree(*, release: str = "6.1.0-18-amd64", init: bytes = b"#!/bin/sh\n") -> tuple[CpioFile, ...]:
    """Describe what every image has: /init and a directory for modules."""
    return (
        directory("usr"),
        directory("usr/lib"),
        directory("usr/lib/modules"),
        directory(f"usr/lib/modules/{release}"),
        file(f"usr/lib/modules/{release}/modules.dep", b"kernel/virtio_blk.ko:\n"),
        file("init", init, 0o755),
    )


def early_archive() -> bytes:
    """Write an early cpio, padded to 512 as GNU cpio does."""
    folders = ("kernel", "kernel/x86", "kernel/x86/microcode")
    microcode = file("kernel/x86/microcode/GenuineIntel.bin", b"\x01\0\0\0" * 50)
    return aligned(archive(*map(directory, folders), microcode), 512)


def gzip_packed(data: bytes) -> bytes:
    """Pack reproducibly."""
    return gzip.compress(data, mtime=0)


def xz_packed(data: bytes, check: int = lzma.CHECK_CRC32) -> bytes:
    """Pack with a check of choice; the kernel knows none and CRC32."""
    return lzma.compress(data, check=check)


def zstd_packed(data: bytes, *, checksum: bool = True) -> bytes:
    """Pack as one frame."""
    return zstandard.ZstdCompressor(write_checksum=checksum).compress(data)


def lz4_packed(data: bytes, block_size: int = 8 << 20) -> bytes:
    """Pack as a legacy frame."""
    blocks = [data[at : at + block_size] for at in range(0, len(data), block_size)]
    packed = [bytes(cramjam.lz4.compress_block(block, store_size=False)) for block in blocks]
    return b"\x02\x21\x4c\x18" + b"".join(struct.pack("<I", len(block)) + block for block in packed)


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "none": bytes,
    "gzip": gzip_packed,
    "bzip2": bz2.compress,
    "lzma": lambda data: lzma.compress(data, format=lzma.FORMAT_ALONE),
    "xz": xz_packed,
    "lz4": lz4_packed,
    "zstd": zstd_packed,
}
"""Name of the codec -> a function that packs one member."""


def with_bootconfig(image: bytes, text: bytes = b"kernel.quiet = 1\n") -> bytes:
    """Append a bootconfig, as tools/bootconfig does."""
    data = aligned(image + text + b"\0")[len(image) :]
    return image + data + struct.pack("<II", len(data), sum(data)) + b"#BOOTCONFIG\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleRecipe:
    """A kernel module to be made; each field takes something away or changes it."""

    name: str = "virtio_blk"
    vermagic: str = "6.1.0-18-amd64 SMP preempt mod_unload modversions "
    info: tuple[str, ...] = field(default=("version=1.2", "srcversion=ABCDEF", "depends=virtio,virtio_ring"))
    symbols: bool = True
    versions: bool = True
    signed: bool = True
    modinfo: bool = True
    this_module_count: int = 1
    this_module_size: int = 896
    bits: int = 64
    byte_order: str = "<"
    type: int = 1


def kernel_module(recipe: ModuleRecipe | None = None) -> bytes:
    """Make the smallest ELF object that the kernel's first checks accept."""
    recipe = recipe or ModuleRecipe()
    elf = _elf_object(recipe, _module_sections(recipe))
    if not recipe.signed:
        return elf
    signature = b"\x30" * 40
    info = struct.pack(">BBBBB3xI", 0, 0, 2, 0, 0, len(signature))
    return elf + signature + info + b"~Module signature appended~\n"


_SectionRecipe = tuple[bytes, int, int, bytes]


def _module_sections(recipe: ModuleRecipe) -> list[_SectionRecipe]:
    """List (name, type, flags, content)."""
    sections: list[_SectionRecipe] = [(b"", 0, 0, b"")]
    if recipe.modinfo:
        lines = (f"name={recipe.name}", f"vermagic={recipe.vermagic}" if recipe.vermagic else "", *recipe.info)
        sections.append((b".modinfo", 1, 2, b"\0".join(line.encode() for line in lines) + b"\0"))
    content = bytes(recipe.this_module_size)
    sections += [(b".gnu.linkonce.this_module", 1, 3, content)] * recipe.this_module_count
    if recipe.versions:
        sections.append((b"__versions", 1, 2, struct.pack("<Q56s", 0x12345678, b"module_layout")))
    if recipe.symbols:
        sections += [(b".symtab", 2, 0, bytes(24)), (b".strtab", 3, 0, b"\0name\0")]
    return sections


def _elf_object(recipe: ModuleRecipe, sections: list[_SectionRecipe]) -> bytes:
    order, wide = recipe.byte_order, recipe.bits == 64
    header = struct.Struct(f"{order}HHI{'QQQ' if wide else 'III'}IHHHHHH")
    row = struct.Struct(f"{order}IIQQQQIIQQ" if wide else f"{order}10I")
    names = b"\0".join(name for name, *_ in sections) + b"\0.shstrtab\0"
    sections = [*sections, (b".shstrtab", 3, 0, names)]
    body, rows, at = b"", [], 16 + header.size
    for name, kind, flags, content in sections:
        start = names.index(name + b"\0") if name else 0
        rows.append(row.pack(start, kind, flags, 0, at if kind else 0, len(content), 0, 0, 1 if kind else 0, 0))
        body += content
        at += len(content)
    ident = b"\x7fELF" + bytes((2 if wide else 1, 1 if order == "<" else 2, 1)) + bytes(9)
    count = len(sections)
    head = header.pack(recipe.type, 62, 1, 0, 0, at, 0, 16 + header.size, 0, 0, row.size, count, count - 1)
    return ident + head + body + b"".join(rows)


def bzimage(banner: str = "6.1.0-18-amd64 (builder@host) #1 SMP Debian 6.1.76-1") -> bytes:
    """Make the head of a bzImage with its version string at 0x3000."""
    image = bytearray(0x4000)
    image[:2] = b"MZ"
    image[0x202:0x206] = b"HdrS"
    image[0x206:0x208] = (0x20F).to_bytes(2, "little")
    image[0x20E:0x210] = (0x3000 - 0x200).to_bytes(2, "little")
    image[0x3000 : 0x3000 + len(banner) + 1] = banner.encode() + b"\0"
    return bytes(image)

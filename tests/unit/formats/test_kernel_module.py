"""Modules, sound and odd, and what the kernel prints about them."""

import hashlib
import lzma
from dataclasses import replace

import pytest

from bootrescue.formats.compression import Codec, compress
from bootrescue.formats.kernel_module import (
    ModuleFault,
    examine_module,
    kernel_message,
    module_name,
    vermagic_fits,
)
from tests.image_builders import ModuleRecipe, kernel_module, xz_packed

SOUND = ModuleRecipe()


def test_sound_module() -> None:
    stored = kernel_module(SOUND)
    module = examine_module(stored)
    assert module.name == "virtio_blk"
    assert module.version == "1.2"
    assert module.srcversion == "ABCDEF"
    assert module.vermagic == "6.1.0-18-amd64 SMP preempt mod_unload modversions"
    assert module.depends == ("virtio", "virtio_ring")
    assert (module.stripped, module.signed, module.has_versions) == (False, True, True)
    assert (module.machine, module.this_module_size_bytes) == (62, 896)
    assert (module.size_bytes, module.sha256) == (len(stored), hashlib.sha256(stored).hexdigest())
    assert (module.faults, kernel_message(module)) == ((), "")


@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("order", ["<", ">"])
def test_either_width_and_byte_order(bits: int, order: str) -> None:
    module = examine_module(kernel_module(replace(SOUND, bits=bits, byte_order=order)))
    assert module.faults == ()
    assert module.name == "virtio_blk"


def test_every_list_in_modinfo() -> None:
    lines = (
        "alias=pci:v1*", "alias=virtio:d2v*", "firmware=a.bin", "softdep=pre: crc32c", "parm=debug:Level (int)",
        "parmtype=debug:int", "parmtype=queues:uint", "depends=", "license=GPL",
    )  # fmt: skip
    module = examine_module(kernel_module(replace(SOUND, info=lines)))
    assert module.aliases == ("pci:v1*", "virtio:d2v*")
    assert module.firmware == ("a.bin",)
    assert module.softdeps == ("pre: crc32c",)
    assert module.parameters == ("debug", "queues")
    assert module.depends == ()


def test_stripped_module_has_no_symbol_table_and_no_signature() -> None:
    module = examine_module(kernel_module(replace(SOUND, symbols=False, signed=False)))
    assert module.stripped
    assert not module.signed
    assert module.faults == (ModuleFault.STRIPPED,)
    assert kernel_message(module) == "virtio_blk: module has no symbols (stripped?)"


def test_stripped_module_without_a_name() -> None:
    module = examine_module(kernel_module(replace(SOUND, symbols=False, modinfo=False)), file_name="a/virtio-blk.ko")
    assert module.name == "virtio_blk"
    assert module.faults == (ModuleFault.STRIPPED, ModuleFault.NO_MODINFO)
    message = "(missing .modinfo section or name field): module has no symbols (stripped?)"
    assert kernel_message(module) == message


def test_unsigned_module_and_a_nul_behind_the_signature() -> None:
    assert not examine_module(kernel_module(replace(SOUND, signed=False))).signed
    module = examine_module(kernel_module(SOUND) + b"\0")
    assert not module.signed
    assert module.faults == ()


def test_signature_longer_than_the_module() -> None:
    stored = bytearray(kernel_module(SOUND))
    stored[-32:-28] = b"\xff\xff\xff\xff"
    module = examine_module(bytes(stored))
    assert not module.signed
    assert module.faults[0] is ModuleFault.BAD_SIGNATURE


@pytest.mark.parametrize("count", [0, 2])
def test_this_module_section_missing_or_double(count: int) -> None:
    module = examine_module(kernel_module(replace(SOUND, this_module_count=count)))
    assert module.faults == (ModuleFault.NO_THIS_MODULE,)
    assert "Exactly one .gnu.linkonce.this_module" in kernel_message(module)


def test_vermagic_missing_loads_by_force_only() -> None:
    module = examine_module(kernel_module(replace(SOUND, vermagic="")))
    assert module.faults == (ModuleFault.NO_VERMAGIC,)
    assert kernel_message(module) == ""


def test_executable_instead_of_an_object() -> None:
    module = examine_module(kernel_module(replace(SOUND, type=2)))
    assert module.faults == (ModuleFault.NOT_RELOCATABLE,)
    assert kernel_message(module) == "Invalid ELF header type: 2 != 1"


def test_cut_module() -> None:
    module = examine_module(kernel_module(replace(SOUND, signed=False))[:-1])
    assert module.faults == (ModuleFault.TRUNCATED,)
    assert kernel_message(module) == "Invalid ELF section header overflow"


@pytest.mark.parametrize("stored", [b"", b"hello", b"#!/bin/sh\n" * 100])
def test_what_is_no_module(stored: bytes) -> None:
    module = examine_module(stored, file_name="x.ko")
    assert module.faults == (ModuleFault.NOT_ELF,)
    assert module.name == "x"
    assert kernel_message(module).startswith("Invalid ELF header magic")


@pytest.mark.parametrize("codec", [Codec.GZIP, Codec.XZ, Codec.ZSTD])
def test_packed_module(codec: Codec) -> None:
    stored = compress(kernel_module(SOUND), codec)
    module = examine_module(stored)
    assert module.compression is codec
    assert (module.name, module.signed, module.faults) == ("virtio_blk", True, ())
    assert module.sha256 == hashlib.sha256(stored).hexdigest(), "of the bytes as stored"
    assert examine_module(stored[:-9]).faults == (ModuleFault.BAD_COMPRESSION,)


def test_xz_module_with_crc64_is_refused_by_the_kernel_itself() -> None:
    module = examine_module(xz_packed(kernel_module(SOUND), lzma.CHECK_CRC64))
    assert module.faults == (ModuleFault.COMPRESSION_CHECK,)
    assert kernel_message(module) == "decompression failed with status 6"
    assert module.name == "virtio_blk"


def test_cut_anywhere_never_raises() -> None:
    stored = kernel_module(replace(SOUND, signed=False))
    for size in range(len(stored)):
        assert examine_module(stored[:size]).faults


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("drivers/block/virtio-blk.ko.xz", "virtio_blk"),
        (b"usr/lib/modules/6.1/kernel/fs/ext4/ext4.ko", "ext4"),
        ("snd-hda-intel.ko.zst", "snd_hda_intel"),
        ("virtio_blk", "virtio_blk"),
        (b"\xff.ko", "\\xff"),
    ],
)
def test_module_names(path: bytes | str, name: str) -> None:
    assert module_name(path) == name


@pytest.mark.parametrize(
    ("module", "versions", "fits"),
    [
        ("6.1.0-18-amd64 SMP preempt ", True, True),
        ("6.1.0-17-amd64 SMP preempt ", True, True),
        ("6.1.0-17-amd64 SMP preempt ", False, False),
        ("6.1.0-18-amd64 SMP PREEMPT ", True, False),
        ("6.1.0-18-amd64 SMP preempt", False, True),
        ("", True, False),
    ],
)
def test_release_matters_only_without_checksums(module: str, versions: bool, fits: bool) -> None:  # noqa: FBT001
    assert vermagic_fits(module, "6.1.0-18-amd64 SMP preempt ", versions) is fits

"""Kernel modules: what a .ko says of itself, and what the kernel would say of it.

Source: load_module() and what it calls in kernel/module/main.c, kernel/module_signature.c and scripts/mod/modpost.c,
Linux 6.12; the messages were seen on a running 6.12 kernel.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from bootrescue.errors import BadInputError
from bootrescue.formats.compression import Codec, decompress, identify_codec
from bootrescue.formats.elf import (
    ELF_MAGIC,
    FLAG_ALLOC,
    RELOCATABLE,
    SECTION_NO_BITS,
    SECTION_SYMBOLS,
    ElfFile,
    NotElfError,
    SectionTableError,
    parse_elf,
)

MODULE_LIMIT_BYTES = 256 << 20
"""Unpacked size above which a module is not looked at; the largest known, nvidia.ko with symbols, has 100 MB."""

SIGNATURE_MARK = b"~Module signature appended~\n"
"""MODULE_SIG_STRING in include/linux/module_signature.h: the last bytes of a signed module."""

_SIGNATURE_INFO_BYTES = 12
"""struct module_signature, in front of the mark; its last four bytes are the signature's length, big-endian."""

_THIS_MODULE = b".gnu.linkonce.this_module"
_NO_NAME = "(missing .modinfo section or name field)"
_XZ_CHECK_AT = 7
_XZ_CHECKS_OF_THE_KERNEL = b"\x00\x01"  # none and CRC32 (lib/xz/xz_dec_stream.c)
_MODINFO_KEYS = {
    "name", "version", "srcversion", "vermagic", "depends", "alias", "firmware", "softdep", "parm", "parmtype",
}  # fmt: skip


class ModuleFault(StrEnum):
    """What keeps a module from being loaded, or (NO_MODINFO, NO_VERMAGIC) lets it in only by force."""

    BAD_COMPRESSION = "bad-compression"
    COMPRESSION_CHECK = "compression-check"
    NOT_ELF = "not-elf"
    NOT_RELOCATABLE = "not-relocatable"
    TRUNCATED = "truncated"
    BAD_SECTIONS = "bad-sections"
    STRIPPED = "stripped"
    NO_THIS_MODULE = "no-this-module"
    NO_MODINFO = "no-modinfo"
    NO_VERMAGIC = "no-vermagic"
    BAD_SIGNATURE = "bad-signature"


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelModule:
    """What a module's bytes say.

    Attributes:
        name: as the kernel names it: from .modinfo, else from the file's name; underscores, no hyphens.
        version, srcversion, vermagic: from .modinfo; empty where they are missing.
        depends, aliases, firmware, softdeps, parameters: from .modinfo, in its order; parameters are names.
        stripped: it does not have exactly one symbol table. False also where the file could not be read so far: look
            at faults.
        signed: a signature of plausible length is appended; whether it is right only the kernel's keys can tell.
        has_versions: it carries CRCs of the symbols it uses, so that the release in its vermagic does not matter.
        machine: e_machine of the ELF header; None where there is none.
        this_module_size_bytes: size of struct module in the kernel it was built for; None where it is missing.
        compression: how the file is packed.
        size_bytes, sha256: of the bytes as stored.
        faults: what is wrong, in the order in which the kernel would see it.
        message: what the kernel prints about the first fault; empty where it prints nothing.
    """

    name: str
    version: str
    srcversion: str
    vermagic: str
    depends: tuple[str, ...]
    aliases: tuple[str, ...]
    firmware: tuple[str, ...]
    softdeps: tuple[str, ...]
    parameters: tuple[str, ...]
    stripped: bool
    signed: bool
    has_versions: bool
    machine: int | None
    this_module_size_bytes: int | None
    compression: Codec
    size_bytes: int
    sha256: str
    faults: tuple[ModuleFault, ...]
    message: str


def examine_module(data: bytes, *, file_name: str = "") -> KernelModule:
    """Look at a module as it is stored, packed or not; damage is told in faults, never raised."""
    examination = _Examination(data)
    examination.run()
    info = examination.info
    return KernelModule(
        name=_first(info, "name") or module_name(file_name),
        version=_first(info, "version"),
        srcversion=_first(info, "srcversion"),
        vermagic=_first(info, "vermagic").rstrip(" "),
        depends=tuple(name for value in info.get("depends", ()) for name in value.split(",") if name),
        aliases=tuple(info.get("alias", ())),
        firmware=tuple(info.get("firmware", ())),
        softdeps=tuple(info.get("softdep", ())),
        parameters=_parameter_names((*info.get("parmtype", ()), *info.get("parm", ()))),
        stripped=ModuleFault.STRIPPED in examination.faults,
        signed=examination.signed,
        has_versions=examination.has_versions,
        machine=examination.machine,
        this_module_size_bytes=examination.this_module_size_bytes,
        compression=examination.compression,
        size_bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        faults=tuple(examination.faults),
        message=examination.message,
    )


def kernel_message(module: KernelModule) -> str:
    """Return the line that the kernel prints when it is given this module; empty where it prints none."""
    return module.message


def module_name(path: bytes | str) -> str:
    """Return the name of the module in a file: the file's name without .ko and what follows, hyphens as underscores."""
    text = path.decode("utf-8", "backslashreplace") if isinstance(path, bytes) else path
    base = text.rpartition("/")[2]
    stem, found, _ = base.rpartition(".ko")
    return (stem if found else base).replace("-", "_")


def vermagic_fits(module_vermagic: str, kernel_vermagic: str, has_versions: bool) -> bool:  # noqa: FBT001  (a fact, no switch)
    """Tell whether the kernel takes this vermagic: same_magic() in kernel/module/version.c, Linux 6.12.

    A module with CRCs (has_versions) is compared from the first blank on, so its release may differ.
    """
    module, kernel = module_vermagic.rstrip(), kernel_vermagic.rstrip()
    if has_versions:
        module, kernel = module.partition(" ")[2], kernel.partition(" ")[2]
    return module == kernel


def _first(info: dict[str, list[str]], key: str) -> str:
    return info.get(key, [""])[0]


def _parameter_names(values: Iterable[str]) -> tuple[str, ...]:
    """Return the names before the colon, each once."""
    return tuple(dict.fromkeys(value.partition(":")[0] for value in values))


class _Examination:
    """The checks in the kernel's order; the first that fails gives the message."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.compression = identify_codec(data)
        self.faults: list[ModuleFault] = []
        self.message = ""
        self.info: dict[str, list[str]] = {}
        self.signed = False
        self.has_versions = False
        self.machine: int | None = None
        self.this_module_size_bytes: int | None = None

    def fault(self, fault: ModuleFault, message: str = "") -> None:
        """Note what is wrong; the kernel stops at its first complaint, the others are of use to people."""
        self.faults.append(fault)
        self.message = self.message or message

    def run(self) -> None:
        """Go as far as the bytes allow."""
        if self.compression in {Codec.NONE, Codec.UNKNOWN}:
            self.compression = Codec.NONE
        elif not self._unpack():
            return
        body = self._without_signature()
        try:
            elf = parse_elf(body)
        except NotElfError:
            message = (
                "Invalid ELF header magic: != \x7fELF"
                if body[:4] != ELF_MAGIC
                else f"Invalid ELF header len {len(body)}"
            )
            self.fault(ModuleFault.NOT_ELF if body[:4] != ELF_MAGIC else ModuleFault.TRUNCATED, message)
            return
        except SectionTableError as error:
            cut = "overflow" in error.what or "section in module" in error.what
            self.fault(ModuleFault.TRUNCATED if cut else ModuleFault.BAD_SECTIONS, error.what)
            return
        self._check(elf, body)

    def _unpack(self) -> bool:
        """Unpack in place; note what the kernel's own decompressor, though not kmod's, refuses."""
        if self.compression is Codec.XZ and self.data[_XZ_CHECK_AT : _XZ_CHECK_AT + 1] not in _XZ_CHECKS_OF_THE_KERNEL:
            self.fault(ModuleFault.COMPRESSION_CHECK, "decompression failed with status 6")
        try:
            self.data = decompress(self.data, limit_bytes=MODULE_LIMIT_BYTES)
        except BadInputError:
            self.fault(ModuleFault.BAD_COMPRESSION, "decompression failed")
            return False
        return True

    def _without_signature(self) -> memoryview:
        """Take the signature off (mod_check_sig() in kernel/module_signature.c)."""
        data = memoryview(self.data)
        if not self.data.endswith(SIGNATURE_MARK):
            return data
        end = len(data) - len(SIGNATURE_MARK) - _SIGNATURE_INFO_BYTES
        length = int.from_bytes(data[end + 8 : end + 12], "big") if end >= 0 else 0
        if end < 0 or length >= end:
            self.fault(ModuleFault.BAD_SIGNATURE)
            return data[: max(end, 0)]
        self.signed = True
        return data[: end - length]

    def _check(self, elf: ElfFile, body: memoryview) -> None:
        """Look at the sections in the order of elf_validity_cache_copy() (kernel/module/main.c, 6.12)."""
        self.machine = elf.machine
        if elf.type != RELOCATABLE:
            self.fault(ModuleFault.NOT_RELOCATABLE, f"Invalid ELF header type: {elf.type} != {RELOCATABLE}")
        self._read_modinfo(elf, body)
        name = _first(self.info, "name") or _NO_NAME
        if sum(section.type == SECTION_SYMBOLS for section in elf.sections) != 1:
            self.fault(ModuleFault.STRIPPED, f"{name}: module has no symbols (stripped?)")
        self._check_this_module(elf, name)
        if not self.info:
            self.fault(ModuleFault.NO_MODINFO)
        elif not _first(self.info, "vermagic"):
            self.fault(ModuleFault.NO_VERMAGIC)
        self.has_versions = any(True for _ in elf.named(b"__versions")) or any(
            True for _ in elf.named(b"__version_ext_crcs")
        )

    def _check_this_module(self, elf: ElfFile, name: str) -> None:
        found = list(elf.named(_THIS_MODULE))
        if len(found) != 1:
            message = f"module {name}: Exactly one {_THIS_MODULE.decode()} section must exist."
            self.fault(ModuleFault.NO_THIS_MODULE, message)
            return
        section = found[0]
        self.this_module_size_bytes = section.size_bytes
        if section.type == SECTION_NO_BITS:
            message = f"module {name}: {_THIS_MODULE.decode()} section must have a size set"
            self.fault(ModuleFault.NO_THIS_MODULE, message)
        elif not section.flags & FLAG_ALLOC:
            message = f"module {name}: {_THIS_MODULE.decode()} must occupy memory during process execution"
            self.fault(ModuleFault.NO_THIS_MODULE, message)

    def _read_modinfo(self, elf: ElfFile, body: memoryview) -> None:
        """Read the NUL-separated key=value texts."""
        found = [section for section in elf.named(b".modinfo") if section.type != SECTION_NO_BITS]
        if len(found) > 1:
            self.fault(ModuleFault.BAD_SECTIONS, "Only one .modinfo section must exist.")
        for section in found[:1]:
            for line in body[section.offset : section.offset + section.size_bytes].tobytes().split(b"\0"):
                key, equals, value = line.decode("utf-8", "backslashreplace").partition("=")
                if equals and key in _MODINFO_KEYS:
                    self.info.setdefault(key, []).append(value)

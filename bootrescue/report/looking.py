"""Documents of what was found: devices, file systems, systems, entries."""

from bootrescue.boot.model import BootEntry, EntryFile
from bootrescue.devices.model import BlockDevice
from bootrescue.filesystems.model import FileSystem
from bootrescue.findings.model import Verdict
from bootrescue.formats.grub.entries import GrubEntry
from bootrescue.report.model import (
    DeviceDocument,
    EntryDocument,
    FileDocument,
    FileSystemDocument,
    KernelDocument,
    SourceDocument,
    SystemDocument,
)
from bootrescue.systems.model import InstalledSystem


def device_document(device: BlockDevice) -> DeviceDocument:
    """A block device with its partitions."""
    return DeviceDocument(
        path=device.path,
        kind=device.kind,
        size_bytes=device.size_bytes,
        serial=device.serial,
        model=device.model,
        partition_table=device.partition_table,
        children=tuple(device_document(child) for child in device.children),
    )


def file_system_document(file_system: FileSystem) -> FileSystemDocument:
    """A file system."""
    return FileSystemDocument(
        uuid=file_system.uuid, type=file_system.type, label=file_system.label, device=file_system.device
    )


def system_document(system: InstalledSystem, entries: tuple[BootEntry, ...]) -> SystemDocument:
    """An installed system with its boot entries, not judged."""
    boot = system.file_system_at("/boot")
    esp = system.file_system_at("/boot/efi") or system.file_system_at("/efi")
    return SystemDocument(
        id=system.id,
        name=system.name,
        version=system.version,
        machine_id=system.machine_id,
        root=system.root.device,
        boot=boot.device if boot else "",
        esp=esp.device if esp else "",
        firmware=system.firmware,
        kernels=tuple(
            KernelDocument(
                release=kernel.release,
                image=str(kernel.image or ""),
                modules_directory=str(kernel.modules_directory or ""),
            )
            for kernel in system.kernels
        ),
        entries=tuple(entry_document(entry, Verdict.UNKNOWN) for entry in entries),
        problems=system.problems,
    )


def entry_document(entry: BootEntry, verdict: Verdict) -> EntryDocument:
    """A boot entry of a target."""
    return EntryDocument(
        id=entry.id,
        title=entry.title,
        kind=entry.kind,
        source=SourceDocument(path=str(entry.source_path), line=entry.source_line),
        submenu=entry.submenu,
        kernel=entry.kernel.written,
        initrds=tuple(file.written for file in entry.initrds),
        command_line=entry.command_line,
        default=entry.default,
        verdict=verdict,
        files=(_file("kernel", entry.kernel), *(_file("initrd", file) for file in entry.initrds)),
    )


def _file(role: str, file: EntryFile) -> FileDocument:
    return FileDocument(
        role=role,
        written=file.written,
        path=str(file.path or ""),
        exists=file.exists,
        size_bytes=file.size_bytes,
        sha256=file.sha256,
    )


def lone_entry_document(entry: GrubEntry, name: str, path: str, *, default: bool) -> EntryDocument:
    """A boot entry of a grub.cfg looked at by itself, without its target."""
    return EntryDocument(
        id=name,
        title=entry.title,
        kind="grub",
        source=SourceDocument(path=path, line=entry.line),
        submenu=entry.submenu,
        kernel=entry.kernel,
        initrds=tuple(word.text for word in entry.initrds),
        command_line=entry.command_line,
        default=default,
        verdict=Verdict.UNKNOWN,
    )

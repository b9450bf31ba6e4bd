"""scan: devices, file systems, installed systems and their boot entries. Writes nothing."""

from bootrescue.boot.grub_entries import collect_grub_entries
from bootrescue.boot.model import BootEntry
from bootrescue.devices.model import Source
from bootrescue.errors import BadInputError
from bootrescue.host.host import Host
from bootrescue.operations.targets import look
from bootrescue.report.looking import device_document, file_system_document, system_document
from bootrescue.report.model import ScanDocument


def scan(host: Host, source: Source) -> ScanDocument:
    """Tell what is on a machine.

    Raises:
        BootRescueError: as operations.targets.look.
    """
    view = look(host, source)
    systems = []
    unread = list(view.unread)
    for system in view.systems:
        host.report(f"reading the boot entries of {system.id}")
        entries: tuple[BootEntry, ...] = ()
        try:
            entries = tuple(entry for reading in collect_grub_entries(system) for entry in reading.entries)
        except (BadInputError, OSError) as error:
            unread.append(f"the boot entries of {system.id}: {error}")
        systems.append(system_document(system, entries))
    return ScanDocument(
        devices=tuple(device_document(device) for device in view.devices),
        file_systems=tuple(file_system_document(found) for found in view.file_systems),
        systems=tuple(systems),
        unread=tuple(unread),
    )

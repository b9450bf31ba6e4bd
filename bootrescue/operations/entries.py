"""entries: the boot entries of a target, or of a grub.cfg by itself. Writes nothing."""

from bootrescue.boot.grub_entries import read_configuration, unique_ids
from bootrescue.errors import UsageError
from bootrescue.findings.diagnose import diagnose
from bootrescue.formats.grub.entries import default_entry
from bootrescue.host.host import Host
from bootrescue.operations.targets import TargetChoice, gather
from bootrescue.report.looking import entry_document, lone_entry_document
from bootrescue.report.model import EntriesDocument


def list_entries(host: Host, choice: TargetChoice) -> EntriesDocument:
    """The entries of a target, each judged.

    Raises:
        BootRescueError: as operations.targets.
    """
    diagnosis = diagnose(gather(host, choice))
    return EntriesDocument(
        entries=tuple(entry_document(found.entry, found.verdict) for found in diagnosis.entries),
        problems=tuple(text for read in diagnosis.chain.configurations for text in read.problems),
    )


def list_entries_of_file(content: bytes, path: str) -> EntriesDocument:
    """The entries of a grub.cfg; nothing is known of the files it names."""
    menu = read_configuration(content)
    default = default_entry(menu)
    named = [entry for entry in menu.entries if entry.kernel]
    return EntriesDocument(
        entries=tuple(
            lone_entry_document(entry, name, path, default=entry is default)
            for entry, name in zip(named, unique_ids(menu), strict=True)
        ),
        problems=menu.problems,
    )


def show_entry(document: EntriesDocument, wanted: str) -> EntriesDocument:
    """Only the entry of that id or title.

    Raises:
        UsageError: there is none, or more than one.
    """
    found = tuple(entry for entry in document.entries if wanted in {entry.id, entry.title})
    if len(found) != 1:
        known = ", ".join(entry.id for entry in document.entries)
        raise UsageError(f"{len(found) or 'no'} boot entries answer to '{wanted}'", hint=f"known: {known}")
    return EntriesDocument(entries=found, problems=document.problems)

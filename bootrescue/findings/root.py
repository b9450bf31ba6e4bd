"""Whether the command line's root= leads to this system's root file system."""

from collections.abc import Callable
from typing import Final

from bootrescue.boot.model import BootChain, BootEntry
from bootrescue.filesystems.model import FileSystem
from bootrescue.findings.model import Evidence, Link, State

# How early user space finds a root (dracut.cmdline(7), initramfs-tools(7)). Labels keep their case, UUIDs do not.
NAMED_BY: Final[dict[str, Callable[[FileSystem], str]]] = {
    "UUID": lambda found: found.uuid.lower(),
    "PARTUUID": lambda found: found.partition_uuid.lower(),
    "LABEL": lambda found: found.label,
}
BY_LINK: Final = {
    "/dev/disk/by-uuid/": "UUID",
    "/dev/disk/by-partuuid/": "PARTUUID",
}


def root_link(chain: BootChain, entry: BootEntry) -> Link:
    """Follow root= to the file systems that were found."""
    arguments = [word for word in entry.command_line.split() if word.startswith("root=")]
    shown = str(entry.source_path)
    if not arguments:
        return _link(State.UNKNOWN, shown, "the command line has no root=")
    wanted = arguments[-1].removeprefix("root=")
    found = file_systems_named(wanted, chain.file_systems)
    if found is None:
        return _link(State.UNKNOWN, shown, f"root={wanted} is not followed to a file system")
    if len(found) > 1:
        return _link(State.UNKNOWN, shown, f"root={wanted} names {len(found)} file systems")
    if not found:
        state = State.BROKEN if chain.sees_all else State.UNKNOWN
        return _link(state, shown, f"root={wanted} names no file system that was found")
    if found[0] != chain.system.root:
        return _link(State.UNKNOWN, shown, f"root={wanted} is another system's root")
    return _link(State.PROVED, chain.system.root.device, f"root={wanted} is this system's root")


def file_systems_named(wanted: str, file_systems: tuple[FileSystem, ...]) -> list[FileSystem] | None:
    """The file systems that a root= names; None for a way of naming that is not followed."""
    wanted = wanted.removeprefix("block:")
    for prefix, kind in BY_LINK.items():
        if wanted.startswith(prefix):
            wanted = f"{kind}={wanted.removeprefix(prefix)}"
    kind, equals, value = wanted.partition("=")
    if not equals or kind not in NAMED_BY or not value or "/" in value:
        return None
    name_of = NAMED_BY[kind]
    value = value if kind == "LABEL" else value.lower()
    return [found for found in file_systems if name_of(found) == value]


def _link(state: State, path: str, text: str) -> Link:
    return Link(link="root", state=state, evidence=(Evidence(path=path, text=text),))

"""Find the machine that was asked for: look at its disks, choose its system, gather its boot chain."""

from dataclasses import dataclass

from bootrescue.boot.collect import collect
from bootrescue.boot.model import BootChain
from bootrescue.devices.discover import discover as discover_devices
from bootrescue.devices.discover import problems_of
from bootrescue.devices.model import BlockDevice, Source
from bootrescue.errors import BootRescueError, DecisionNeededError, UsageError
from bootrescue.filesystems.identify import identify
from bootrescue.filesystems.model import FileSystem
from bootrescue.host.host import Host
from bootrescue.systems.discover import describe_directory, discover
from bootrescue.systems.model import InstalledSystem

# What libblkid calls file systems that hold others, and can only be opened with help
LOCKED = frozenset({"crypto_LUKS", "LVM2_member", "linux_raid_member"})


class NoSystemError(BootRescueError):
    """There is no installed system where one was looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetChoice:
    """Which machine, and which of its systems; an empty system means: the only one."""

    source: Source
    system: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """All that was seen of a machine."""

    devices: tuple[BlockDevice, ...]
    file_systems: tuple[FileSystem, ...]
    systems: tuple[InstalledSystem, ...]
    unread: tuple[str, ...]


def look(host: Host, source: Source) -> View:
    """Look at devices, file systems and systems. Writes nothing.

    Raises:
        BadInputError, MachineLacksError, UsageError: see devices.discover.
    """
    if source.root:
        system = describe_directory(host, source.root)
        return View(devices=(), file_systems=(system.root,), systems=(system,), unread=())
    devices = discover_devices(host, source)
    file_systems = identify(host, devices)
    found = discover(host, file_systems)
    unread = (*problems_of(devices), *found.unread)
    return View(devices=devices, file_systems=file_systems, systems=found.systems, unread=unread)


def choose_system(view: View, wanted: str) -> InstalledSystem:
    """The system asked for by id, or the only one.

    Raises:
        DecisionNeededError: there are several, or what could hold one is locked.
        NoSystemError: there is none.
        UsageError: there is none of that id.
    """
    known = ", ".join(system.id for system in view.systems)
    if wanted:
        matching = [system for system in view.systems if system.id == wanted]
        if len(matching) != 1:
            raise UsageError(
                f"{len(matching) or 'no'} systems have this id", where=wanted, hint=f"found: {known or 'none'}"
            )
        return matching[0]
    if len(view.systems) > 1:
        raise DecisionNeededError(f"several systems are installed: {known}", hint="choose one with --system ID")
    if view.systems:
        return view.systems[0]
    locked = [f"{found.device} ({found.type})" for found in view.file_systems if found.type in LOCKED]
    if locked:
        raise DecisionNeededError(
            f"no system is in the open; these could hold one: {', '.join(locked)}",
            hint="open it yourself (cryptsetup open, vgchange --activate y), mount it, and name it with --root DIR",
        )
    looked_at = ", ".join(device.path for device in view.devices if not device.left_out)
    not_read = f" ({'; '.join(view.unread)})" if view.unread else ""
    raise NoSystemError(
        f"no installed Linux system was found{not_read}",
        where=looked_at,
        hint="bootrescue scan shows what is on the disks",
    )


def gather(host: Host, choice: TargetChoice) -> BootChain:
    """Look at the machine, choose its system and read all that decides whether it boots. Writes nothing.

    Raises:
        BootRescueError: as look and choose_system.
    """
    view = look(host, choice.source)
    return collect(host, choose_system(view, choice.system), view.file_systems)

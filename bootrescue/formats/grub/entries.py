"""The entries of a GRUB configuration, and which of them boots by default.

Simple where GRUB is a whole shell: `walk.py` follows variables, conditions, functions and submenus, and names as
unknown what depends on the machine.
"""

from collections.abc import Mapping, Sequence

from bootrescue.formats.grub.conditions import number
from bootrescue.formats.grub.model import GrubEntry, GrubMenu, OtherFile, Word
from bootrescue.formats.grub.tree import Script
from bootrescue.formats.grub.walk import Walker

__all__ = ["GrubEntry", "GrubMenu", "OtherFile", "Word", "default_entry", "read_menu"]


def read_menu(script: Script, *, environment: Mapping[str, str]) -> GrubMenu:
    """Say which menu a configuration makes.

    Args:
        script: the configuration.
        environment: the variables of its environment block (`grubenv`); `grub_platform` and other variables that
            GRUB sets itself may be added where they are known.

    Raises:
        BadInputError: the script is built to run without end or to grow without bound.
    """
    return Walker(script, environment).menu()


def default_entry(menu: GrubMenu) -> GrubEntry | None:
    """Find the entry that boots when nobody touches a key; None when there is none or it cannot be told.

    Follows `get_entry_number` and `grub_menu_execute_entry` in grub-core/normal/menu.c of GRUB 2.06, tried with
    grub-emu: a number (also at the beginning of a title) is an index, else a title or an id is looked for; what
    fits nothing means the first entry; `>` leads into a submenu, `>>` stands for the character itself.
    """
    if not menu.default_known or menu.uses_blscfg:
        return None
    wanted = menu.default or ""
    level = 0
    entries: Sequence[GrubEntry] = menu.entries
    while entries:
        own, separator, rest = _split_path(wanted)
        index = _index(entries, level, own)
        if any(entry.conditional and _place(entry, level) <= index for entry in entries):
            return None
        chosen = [entry for entry in entries if _place(entry, level) == index]
        if not chosen:
            return None
        if len(chosen[0].submenu) == level:
            return chosen[0]
        entries, level = chosen, level + 1
        wanted = rest if separator else ""
    return None


def _split_path(path: str) -> tuple[str, str, str]:
    """Cut a default at its first `>` that is not doubled."""
    position = path.find(">")
    while position >= 0 and path[position : position + 2] == ">>":
        position = path.find(">", position + 2)
    if position < 0:
        return path, "", ""
    return path[:position], ">", path[position + 1 :]


def _place(entry: GrubEntry, level: int) -> int:
    """Give the place of an entry, or of the submenu that leads to it, in the menu of this level."""
    return int(entry.index_path.split(">")[level])


def _index(entries: Sequence[GrubEntry], level: int, wanted: str) -> int:
    last = max(_place(entry, level) for entry in entries)
    if wanted.strip()[:1].isdecimal():
        index = number(wanted)
        return index if index <= last else 0
    name = wanted.replace(">>", ">")
    for entry in entries:
        is_submenu = len(entry.submenu) > level
        title = entry.submenu[level] if is_submenu else entry.title
        identifier = entry.submenu_ids[level] if is_submenu else entry.id
        if name in {title, identifier or title}:
            return _place(entry, level)
    return 0

"""What a GRUB configuration offers: entries, their images and arguments, and the default."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """One word that a command of an entry receives.

    Attributes:
        text: after quoting and expansion; what is not known stands in it as it was written (`$name`).
        span: start and end, in bytes, of the word as written in the file.
        known: False when an unknown variable was in it.
    """

    text: str
    span: tuple[int, int]
    known: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class GrubEntry:
    """One `menuentry`.

    Attributes:
        title: as the menu shows it.
        id: what `--id` gave; empty without it.
        submenu: the titles of the submenus around it, outermost first.
        submenu_ids: their ids, in the same order; empty strings where none was given.
        index_path: its place as GRUB counts, `0`, `1>0`.
        line: the line of `menuentry`, from 1.
        span: start and end, in bytes, of the whole entry.
        conditional: True when it stands in an arm that may not run; places behind it are uncertain then.
        classes: what `--class` gave, in order.
        kernel_keyword: `linux`, `linux16`, `linuxefi`, `multiboot2`, ...; empty without a kernel.
        kernel: the kernel's path as GRUB sees it; empty when none.
        kernel_known: False when the path holds an unknown variable.
        command_line: the words behind the kernel, joined by one blank.
        arguments: the same words one by one.
        initrd_keyword: of the first initrd line; empty without one.
        initrds: the images of all initrd lines in order; with multiboot, the modules behind the first.
        modules: the files of all multiboot modules.
        loader: what `chainloader` gets; empty without it.
        root: the value of the last `set root=`, a hint only when `root_uuid` is given.
        root_uuid: the file system that `search --fs-uuid --set=root` looks for; empty when none or not known.
    """

    title: str
    id: str
    submenu: tuple[str, ...]
    submenu_ids: tuple[str, ...]
    index_path: str
    line: int
    span: tuple[int, int]
    conditional: bool
    classes: tuple[str, ...]
    kernel_keyword: str
    kernel: str
    kernel_known: bool
    command_line: str
    arguments: tuple[Word, ...]
    initrd_keyword: str
    initrds: tuple[Word, ...]
    modules: tuple[Word, ...]
    loader: str
    root: str
    root_uuid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherFile:
    """Another file that the configuration would read; it was not followed.

    Attributes:
        keyword: `source`, `configfile`, ...
        path: as written after expansion.
        root_uuid: the file system that the last `search` before it looked for; empty when none or not known.
        line: where, from 1.
    """

    keyword: str
    path: Word
    root_uuid: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GrubMenu:
    """The menu that a configuration makes.

    Attributes:
        entries: all entries, submenus flattened, in the menu's order.
        default: the value of `default` at the end; None when it is not set.
        default_known: False when the value holds an unknown variable.
        uses_blscfg: True when `blscfg` adds entries from `loader/entries`.
        other_files: files that `source`, `configfile` and the like would read.
        problems: what could not be understood or told, each with its line.
    """

    entries: tuple[GrubEntry, ...]
    default: str | None
    default_known: bool
    uses_blscfg: bool
    other_files: tuple[OtherFile, ...]
    problems: tuple[str, ...]

"""The commands of an entry that load a kernel and its images, noted as GRUB would receive them.

Sources: the GRUB manual, "Command-line and menu entry commands"; grub-core/commands/search_wrap.c and
grub-core/lib/arg.c of GRUB 2.06; `linuxefi` and `initrdefi` as Red Hat's and Debian's GRUB know them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bootrescue.formats.grub.model import Word

LINUX_KEYWORDS = frozenset(("linux", "linux16", "linuxefi", "xen_linux"))
INITRD_KEYWORDS = frozenset(("initrd", "initrd16", "initrdefi", "xen_initrd"))
MULTIBOOT_KEYWORDS = frozenset(("multiboot", "multiboot2", "xen_hypervisor"))
MODULE_KEYWORDS = frozenset(("module", "module2", "xen_module"))
LOADER_KEYWORDS = LINUX_KEYWORDS | INITRD_KEYWORDS | MULTIBOOT_KEYWORDS | MODULE_KEYWORDS | {"chainloader"}

_TAKES_VALUE = frozenset(
    ("--set", "-s", "--hint", "-h", "--hint-ieee1275", "--hint-bios", "--hint-baremetal", "--hint-efi", "--hint-arc")
)
_KINDS: Mapping[str, str] = {
    "--fs-uuid": "fs-uuid",
    "-u": "fs-uuid",
    "--label": "label",
    "-l": "label",
    "--file": "file",
    "-f": "file",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """A `search` command.

    Attributes:
        variable: the variable that gets the device; empty when the command only prints.
        kind: `fs-uuid`, `label` or `file`.
        wanted: the UUID, label or path; None when it is missing.
    """

    variable: str
    kind: str
    wanted: Word | None


def parse_search(keyword: str, words: Sequence[Word]) -> Search:
    """Read the words behind `search`, `search.fs_uuid`, `search.fs_label` or `search.file`."""
    if keyword != "search":
        kind = {"search.fs_uuid": "fs-uuid", "search.fs_label": "label"}.get(keyword, "file")
        variable = words[1].text if len(words) > 1 else ""
        return Search(variable=variable, kind=kind, wanted=words[0] if words else None)
    kind, variable_word = "", None
    has_set = False
    positional: list[Word] = []
    for option, value in _options(words):
        if option in {"--set", "-s"}:
            has_set, variable_word = True, value
        elif option in _KINDS:
            kind = kind or _KINDS[option]
        elif not option and value is not None:
            positional.append(value)
    wanted = positional[0] if positional else variable_word
    variable = variable_word.text if positional and variable_word else "root"
    return Search(variable=variable if has_set else "", kind=kind, wanted=wanted)


def _options(words: Sequence[Word]) -> Iterator[tuple[str, Word | None]]:
    """Yield options with their value, and plain words with an empty option (`grub_arg_parse`)."""
    position = 0
    while position < len(words):
        word = words[position]
        position += 1
        name, equals, value = word.text.partition("=")
        if not word.text.startswith("-") or len(word.text) == 1:
            yield "", word
        elif name.startswith("--") and equals:
            yield name, Word(text=value, span=word.span, known=word.known)
        elif word.text in _TAKES_VALUE and position < len(words) and words[position].text[:1] != "-":
            yield word.text, words[position]
            position += 1
        elif word.text.startswith("--"):
            yield word.text, None
        else:
            yield from ((f"-{letter}", None) for letter in word.text[1:])


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernel:
    """One command that loads a kernel or a hypervisor.

    Attributes:
        keyword: the command.
        words: the path and the arguments.
        certain: False when the command stands in an arm that may not run.
    """

    keyword: str
    words: tuple[Word, ...]
    certain: bool


@dataclass(slots=True, kw_only=True)
class EntryRecord:
    """What the commands of one entry load, collected while its body is walked."""

    kernels: list[Kernel] = field(default_factory=list)
    initrd_keyword: str = ""
    initrds: list[Word] = field(default_factory=list)
    modules: list[Word] = field(default_factory=list)
    loader: str = ""
    certain_images: bool = True

    def note(self, keyword: str, words: Sequence[Word], *, certain: bool) -> None:
        """Take one loader command."""
        if keyword in INITRD_KEYWORDS:
            self._note_images(keyword, words, certain=certain)
        elif keyword in MODULE_KEYWORDS:
            files = _without_options(words)[:1]
            if self.modules:
                self._note_images(keyword, files, certain=certain)
            self.modules += files
        elif keyword == "chainloader":
            files = _without_options(words)[:1]
            self.loader = files[0].text if files else ""
        else:
            rest = words if keyword in LINUX_KEYWORDS else _without_options(words)
            self.kernels.append(Kernel(keyword=keyword, words=tuple(rest), certain=certain))

    def _note_images(self, keyword: str, words: Sequence[Word], *, certain: bool) -> None:
        self.initrd_keyword = self.initrd_keyword or keyword
        self.initrds += words
        self.certain_images = self.certain_images and certain

    def kernel(self) -> tuple[Kernel | None, bool]:
        """Give the kernel that counts, and whether that is sure: GRUB keeps the last one loaded."""
        if not self.kernels:
            return None, True
        texts = {tuple(word.text for word in kernel.words) for kernel in self.kernels}
        if len(texts) == 1 or self.kernels[-1].certain:
            return self.kernels[-1], True
        return self.kernels[0], False


def _without_options(words: Sequence[Word]) -> list[Word]:
    position = 0
    while position < len(words) and words[position].text.startswith("--"):
        position += 1
    return list(words[position:])

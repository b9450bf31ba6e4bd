"""The words behind `menuentry` and `submenu`.

Follows grub-core/commands/menuentry.c and `grub_arg_parse` in grub-core/lib/arg.c of GRUB 2.06. Red Hat's GRUB
lets `--users` stand without a value; upstream's then makes no entry.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bootrescue.formats.grub.model import Word

_WITH_VALUE = frozenset(("--class", "--users", "--hotkey", "--source", "--id"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What a menu entry is called.

    Attributes:
        parameters: the words that are no options; the first is the title, all are `$1` and so on in the body.
        id: what `--id` gave; empty without it.
        classes: what `--class` gave.
        problem: why GRUB would not make this entry; empty when it would.
    """

    parameters: tuple[Word, ...]
    id: str
    classes: tuple[str, ...]
    problem: str

    @property
    def title(self) -> str:
        """The title; empty when there is none."""
        return self.parameters[0].text if self.parameters else ""


def parse_header(words: Sequence[Word]) -> Header:
    """Read the words behind `menuentry` or `submenu`, the block left out."""
    parameters: list[Word] = []
    values: dict[str, list[str]] = {}
    problem = ""
    position = 0
    while position < len(words):
        word = words[position]
        position += 1
        if word.text == "--" and word.known:
            parameters += words[position:]
            break
        name, equals, value = word.text.partition("=")
        if name not in _WITH_VALUE:
            if name != "--unrestricted":
                parameters.append(word)
            continue
        if not equals:
            if position < len(words) and not words[position].text.startswith("-"):
                value = words[position].text
                position += 1
            else:
                problem = problem or f"`{name}` has no value"
                continue
        values.setdefault(name, []).append(value)
    if not parameters:
        problem = "it has no title"
    return Header(
        parameters=tuple(parameters),
        id=values.get("--id", [""])[-1],
        classes=tuple(values.get("--class", ())),
        problem=problem,
    )

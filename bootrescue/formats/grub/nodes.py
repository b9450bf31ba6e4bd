"""What a GRUB script is made of: nodes that know their stretch of the file.

The kinds are those of grub-core/script/parser.y of GRUB 2.06.
"""

from bisect import bisect_right
from dataclasses import dataclass

from bootrescue.formats.grub.tokens import Token


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch of the file.

    Attributes:
        start: offset of the first byte.
        end: offset behind the last byte.
    """

    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Space(Span):
    """Blanks, empty lines and the ends of statements at the top level."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment(Span):
    """A comment that stands where a statement may stand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotUnderstood(Span):
    """Bytes that GRUB would refuse; they print back as they came.

    Attributes:
        error_at: offset of the token where GRUB would stop.
        reason: why, for the person at the keyboard.
    """

    error_at: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Command(Span):
    """A command, an assignment, or a call of a function.

    Attributes:
        words: its words as written, the command's own name first.
        body: what stands in braces behind the words (`menuentry`, `submenu`); None without braces.
    """

    words: tuple[Token, ...]
    body: "tuple[Node, ...] | None" = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """One arm of an `if`.

    Attributes:
        condition: the commands whose last status decides; None for `else`.
        body: what runs then.
    """

    condition: "tuple[Node, ...] | None"
    body: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True, kw_only=True)
class If(Span):
    """`if`, all its `elif` and the `else`."""

    branches: tuple[Branch, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class For(Span):
    """`for NAME in WORDS; do BODY done`."""

    name: Token
    words: tuple[Token, ...]
    body: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True, kw_only=True)
class While(Span):
    """`while` or `until CONDITION; do BODY done`."""

    until: bool
    condition: "tuple[Node, ...]"
    body: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Function(Span):
    """The definition of a function; GRUB allows it at the top level only."""

    name: Token
    body: "tuple[Node, ...]"


Node = Space | Comment | NotUnderstood | Command | If | For | While | Function


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """A whole file. The nodes follow each other without a gap, so that they print back as the file.

    Attributes:
        data: the file's bytes.
        nodes: the top level.
        line_starts: the offset of each line's first byte.
    """

    data: bytes
    nodes: tuple[Node, ...]
    line_starts: tuple[int, ...]

    def line(self, offset: int) -> int:
        """Give the number of the line, from 1, that holds the byte at this offset."""
        return bisect_right(self.line_starts, offset)

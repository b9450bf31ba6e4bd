"""Quoting and expansion: from a word as written to the words that a GRUB command receives, and back.

The rules are those of grub-core/script/yylex.l (states SPLIT, DQUOTE, I18NQUOTE, SQUOTE, VAR),
grub-core/script/execute.c (`grub_script_arglist_to_argv`) and grub-core/script/argv.c of GRUB 2.06.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bootrescue.errors import BadInputError
from bootrescue.formats.grub.tokens import LINE_JOIN, VARIABLE

MAX_WORD_CHARACTERS = 65_536
"""A word may grow to this by expansion; real ones stay below 4,096, the kernel's own limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expanded:
    """One word after quoting and expansion.

    Attributes:
        text: the word; what is not known stands in it as it was written (`$name`).
        known: False when an unknown variable, or a pattern over files, was in it.
    """

    text: str
    known: bool


Lookup = Callable[[str], Sequence[Expanded]]
"""Gives a variable's value (one word; none when unset; several for `$@`)."""

_PLAIN = re.compile(rb"[^\\'\"$*?\r]*")
_PIECE = re.compile(
    rb"(?P<join>" + LINE_JOIN + rb")|\\(?P<escaped>.)|'(?P<single>[^']*)'|(?P<translated>\$\")|(?P<double>\")|"
    rb"(?P<variable>" + VARIABLE + rb")|(?P<text>[^\\'\"$]+)|(?P<other>.)",
    re.DOTALL,
)
_IN_QUOTES = re.compile(
    rb"\\\n|\\(?P<escaped>[\"\\$])|(?P<end>\")|(?P<variable>" + VARIABLE + rb")|(?P<text>[^\\\"$]+|.)", re.DOTALL
)
_FILE_PATTERN_STARTS = ("/", "(", "*")
"""Only such words are matched against files (grub-core/commands/wildcard.c: `wildcard_expand`)."""


def decode(raw: bytes) -> str:
    """Show bytes of a configuration as text; bytes that are not UTF-8 survive the way back."""
    return raw.decode("utf-8", "surrogateescape")


def is_plain(raw: bytes) -> bool:
    """Say whether a word stands for itself: nothing in it is quoted or expanded."""
    return _PLAIN.fullmatch(raw) is not None


def expand(raw: bytes, lookup: Lookup) -> list[Expanded]:
    """Give the words that one written word becomes: one as a rule, none or several by an unquoted variable.

    Raises:
        BadInputError: the word grows beyond MAX_WORD_CHARACTERS.
    """
    if is_plain(raw):
        return [Expanded(text=decode(raw), known=True)]
    builder = _Builder(lookup)
    raw = raw.replace(b"\r", b"")
    position = 0
    while position < len(raw):
        match = _PIECE.match(raw, position)
        if match is None:  # pragma: no cover - the last alternative takes any byte
            break
        position = match.end()
        kind = match.lastgroup
        if kind in {"double", "translated"}:
            position = _expand_quoted(raw, position, builder)
        elif kind == "variable":
            builder.add_variable(match[0], split=True)
        elif kind == "single":
            builder.add(decode(match["single"]))
        elif kind == "escaped":
            builder.add(decode(match["escaped"]))
        elif kind != "join":
            builder.add_unquoted(decode(match[0]))
    return builder.finish()


def _expand_quoted(raw: bytes, position: int, builder: "_Builder") -> int:
    """Read the inside of double quotes and give the offset behind the closing one."""
    builder.add("")
    while position < len(raw):
        match = _IN_QUOTES.match(raw, position)
        if match is None:  # pragma: no cover - the last alternative takes any byte
            break
        position = match.end()
        kind = match.lastgroup
        if kind == "end":
            break
        if kind == "variable":
            builder.add_variable(match[0], split=False)
        elif kind is not None:
            builder.add(decode(match[kind]))
    return position


class _Builder:
    """The argument list as grub-core/script/argv.c builds it: a slot counts once something was put into it."""

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup
        self._done: list[Expanded] = []
        self._parts: list[str] | None = None
        self._size = 0
        self._known = True
        self._pattern = False

    def add(self, text: str, *, known: bool = True) -> None:
        if self._parts is None:
            self._parts = []
        self._parts.append(text)
        self._known = self._known and known
        self._size += len(text)
        if self._size > MAX_WORD_CHARACTERS:
            raise BadInputError(
                f"a word grows beyond {MAX_WORD_CHARACTERS} characters when its variables are expanded",
                hint="no real configuration does this; look at the file before trusting it",
            )

    def add_unquoted(self, text: str) -> None:
        self._pattern = self._pattern or "*" in text or "?" in text
        self.add(text)

    def add_variable(self, reference: bytes, *, split: bool) -> None:
        name = decode(reference).strip("${}")
        for number, value in enumerate(self._lookup(name)):
            if number:
                self._next()
            if not value.known:
                self.add(value.text or decode(reference), known=False)
            elif split:
                self._add_split(value.text)
            else:
                self.add(value.text)

    def _add_split(self, text: str) -> None:
        for number, part in enumerate(text.split()):
            if number:
                self._next()
            self.add(part)

    def _next(self) -> None:
        if self._parts is None:
            return
        text = "".join(self._parts)
        matches_files = self._pattern and text.startswith(_FILE_PATTERN_STARTS)
        self._done.append(Expanded(text=text, known=self._known and not matches_files))
        self._parts, self._known, self._pattern = None, True, False

    def finish(self) -> list[Expanded]:
        self._next()
        return self._done


_BARE = re.compile(r"[A-Za-z0-9_/.,:+=@%^~()\[\]!-][A-Za-z0-9_/.,:+=@%^~()\[\]!#-]*")
_RESERVED_OPERATORS = ("[[", "]]")


def quote(text: str, *, like: bytes = b"") -> bytes:
    """Write a text as one word that GRUB reads back as exactly this text.

    Args:
        text: what GRUB shall see.
        like: the word that stood there; its way of quoting is kept where the text allows it.

    Raises:
        BadInputError: the text is empty, or holds control characters or lone surrogates.
    """
    try:
        encoded = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise BadInputError(f"{text!r} cannot be written in a configuration file") from error
    if not text or any(character < " " or character == "\x7f" for character in text):
        raise BadInputError(
            f"{text!r} cannot be written as a word of a GRUB configuration",
            hint="give a path without line ends, tabs or other control characters",
        )
    if like[:1] == b'"' == like[-1:] and not set('"\\$') & set(text):
        return b'"' + encoded + b'"'
    if like[:1] == b"'" == like[-1:] and "'" not in text:
        return b"'" + encoded + b"'"
    if _BARE.fullmatch(text) and text not in _RESERVED_OPERATORS:
        return encoded
    return b"'" + encoded.replace(b"'", b"'\\''") + b"'"

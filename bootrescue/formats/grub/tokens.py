"""Cut a GRUB script into tokens that know their place in the file.

Follows grub-core/script/yylex.l of GRUB 2.06 and the line reader in front of it
(grub-core/normal/main.c: `grub_file_getline` drops every carriage return,
`read_config_file_getline` drops lines that begin with `#`; a line ends at a NUL byte, being a C string).
"""

import re
from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple


class TokenKind(IntEnum):
    """What a token is to the grammar; the numbers are the groups of the pattern below."""

    COMMENT = 1
    NEWLINE = 2
    WORD = 3
    SEMICOLON = 4
    OPEN_BRACE = 5
    CLOSE_BRACE = 6
    BAD = 7
    END = 8


class Token(NamedTuple):
    """One token; a tuple, since a large file has half a million of them.

    Attributes:
        kind: what it is to the grammar.
        start: offset of its first byte.
        end: offset behind its last byte.
        raw: the bytes as written.
    """

    kind: TokenKind
    start: int
    end: int
    raw: bytes


_NAME = rb"[A-Za-z_][A-Za-z0-9_]*+"
VARIABLE = rb"\$(?:" + _NAME + rb"|[0-9]++|[?#*@]|\{(?:" + _NAME + rb"|[0-9]++|[?#*@])\})"
"""A reference to a variable (yylex.l: VARIABLE)."""

LINE_JOIN = rb"\\\r*\n(?:#[^\n]*(?:\n|\Z))*+"
"""A backslash before the line's end, and the comment lines that the line reader skips behind it."""

_CHARACTERS = rb"[^{}|&$;<> \t\r\n'\"\\\x00]"
_WORD = (
    rb"(?:"
    + _CHARACTERS
    + rb"++|\r++(?="
    + _CHARACTERS
    + rb")|'[^'\x00]*+'|\$\"(?:[^\"\\\x00]++|\\.)*+\"|\"(?:[^\"\\$\x00]++|\\[^\x00]|"
    + VARIABLE
    + rb")*+\"|"
    + LINE_JOIN
    + rb"|\\\r*[^\r\n]|"
    + VARIABLE
    + rb")++"
)
_OPERATOR = rb"(?:\[\[|\]\])(?:[ \t\r\n{}|&;<>\x00]|\Z)"
_TOKEN = re.compile(
    rb"(?:[ \t\r]++|\x00[^\n]*+)*+(?:(#[^\n]*+)|(\n(?:[ \t\r]*+\n)*+)|((?!"
    + _OPERATOR
    + rb")"
    + _WORD
    + rb")|(;(?!;))|(\{)|(\})|(.)|\Z)",
    re.DOTALL,
)
_QUOTED_WITH_STRAY_DOLLAR = re.compile(rb"\"(?:[^\"\\]++|\\.)*+\"", re.DOTALL)
_KINDS = tuple(TokenKind)


def tokenize(data: bytes, position: int = 0) -> Iterator[Token]:
    """Yield the tokens of a script from an offset on; what lies between two tokens is white space.

    An unterminated quote is one BAD token up to the end: GRUB reads on for the closing quote until the file
    ends. The last token is always END. Nothing is raised.
    """
    kinds = _KINDS
    new = tuple.__new__  # half a million times: Token(...) takes twice as long
    length = len(data)
    while position < length:
        for match in _TOKEN.finditer(data, position):
            group = match.lastindex
            if group is None:
                position = length
                break
            start, end = match.span(group)
            if group == TokenKind.BAD:
                end = _end_of_bad(data, start)
                yield Token(TokenKind.BAD, start, end, data[start:end])
                position = end
                break
            yield new(Token, (kinds[group - 1], start, end, match[group]))
            position = end
    yield Token(TokenKind.END, length, length, b"")


def _end_of_bad(data: bytes, start: int) -> int:
    """Say where GRUB's lexer would stand after a token that it cannot use."""
    first = data[start : start + 1]
    if first == b'"':
        match = _QUOTED_WITH_STRAY_DOLLAR.match(data, start)
        return match.end() if match else len(data)
    if first in (b"'", b"\\") or data[start : start + 2] == b'$"':
        return len(data)
    return start + 1


def why_bad(data: bytes, token: Token) -> str:
    """Say in words why a BAD token is one."""
    if token.end == len(data) and token.raw[:1] in (b"'", b'"', b"$", b"\\") and len(token.raw) > 1:
        return "a quote is opened and never closed"
    if token.raw[:1] in (b'"', b"$"):
        return "a `$` without the name of a variable"
    return f"`{token.raw.decode('utf-8', 'backslashreplace')}` has no meaning in a GRUB script"

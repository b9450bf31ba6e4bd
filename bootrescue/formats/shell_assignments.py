"""`NAME=value` lines in shell syntax, as os-release and /etc/default/grub have them.

The rules are those of os-release(5), systemd 252, which are the part of the shell's that such files may use:
comments, single and double quotes, backslashes. Variables and commands in a value are not carried out.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_ASSIGNMENT = re.compile(rb"[ \t]*+(?:export[ \t]++)?([A-Za-z_][A-Za-z0-9_]*+)=")
_VALUE = re.compile(rb"(?:'[^']*+'|\"(?:[^\"\\]++|\\.)*+\"|\\.|[^\s'\"\\;&|<>()])*+", re.DOTALL)
_BEHIND_VALUE = re.compile(rb"(?:[ \t\r;]++(?:#[^\n]*+)?)?(?:\n|\Z)")
_PIECE = re.compile(
    rb"'(?P<single>[^']*)'|\"(?P<double>(?:[^\"\\]|\\.)*)\"|\\(?P<escaped>.)|(?P<text>[^'\"\\]+)", re.DOTALL
)
_DOUBLE_QUOTED_ESCAPE = re.compile(rb"\\(?:\n|([\"$`\\]))")
_IGNORED_LINE = re.compile(rb"[ \t\r]*+(?:#[^\n]*+)?(?:\n|\Z)")
_LINE = re.compile(rb"[^\n]*+(?:\n|\Z)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """One assignment.

    Attributes:
        name: the variable.
        value: its value, quotes and escapes removed.
        known: False when the value holds a variable or a command that a shell would replace.
        line: where, from 1.
        span: start and end, in bytes, of the value as written.
    """

    name: str
    value: str
    known: bool
    line: int
    span: tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShellAssignments:
    """All assignments of a file.

    Attributes:
        assignments: in the file's order.
        problems: lines that are no assignment, each with its number.
    """

    assignments: tuple[Assignment, ...]
    problems: tuple[str, ...]

    @property
    def values(self) -> Mapping[str, str]:
        """The value of each name; where one is assigned twice, the last one counts."""
        return {assignment.name: assignment.value for assignment in self.assignments}


def parse_assignments(data: bytes) -> ShellAssignments:
    """Read a file of assignments; lines that are none become problems. Nothing is raised."""
    assignments: list[Assignment] = []
    problems: list[str] = []
    position = len(b"\xef\xbb\xbf") if data.startswith(b"\xef\xbb\xbf") else 0
    line = 1
    while position < len(data):
        end = _end_of(_IGNORED_LINE.match(data, position))
        if end is None:
            assignment, end = _assignment(data, position, line)
            if assignment is None:
                problems.append(f"line {line}: this is not an assignment")
            else:
                assignments.append(assignment)
        line += data.count(b"\n", position, end)
        position = end
    return ShellAssignments(assignments=tuple(assignments), problems=tuple(problems))


def _assignment(data: bytes, position: int, line: int) -> tuple[Assignment | None, int]:
    """Read one assignment and say where the next line begins; a bad one ends with its own line."""
    name = _ASSIGNMENT.match(data, position)
    value = _VALUE.match(data, name.end()) if name else None
    behind = _end_of(_BEHIND_VALUE.match(data, value.end())) if value else None
    if name is None or value is None or behind is None:
        return None, _end_of(_LINE.match(data, position)) or len(data)
    text, known = _unquote(value[0])
    return Assignment(name=_decode(name[1]), value=_decode(text), known=known, line=line, span=value.span()), behind


def _end_of(match: "re.Match[bytes] | None") -> int | None:
    return match.end() if match else None


def _unquote(raw: bytes) -> tuple[bytes, bool]:
    """Remove quotes and escapes, and say whether the rest is what a shell would make of it."""
    parts: list[bytes] = []
    known = True
    for match in _PIECE.finditer(raw):
        kind = match.lastgroup or "text"
        text = match[kind]
        if kind == "double":
            known = known and not re.search(rb"[$`]", re.sub(rb"\\.", b"", text, flags=re.DOTALL))
            text = _DOUBLE_QUOTED_ESCAPE.sub(lambda escape: escape[1] or b"", text)
        elif kind == "text":
            known = known and not re.search(rb"[$`]", text)
        elif kind == "escaped" and text == b"\n":
            text = b""
        parts.append(text)
    return b"".join(parts), known


def _decode(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")

r"""/etc/fstab: what is mounted where.

Follows fstab(5) of util-linux 2.38: six fields between blanks or tabs, the last two may be missing; a blank in a field
is written `\040`, a tab `\011`, a newline `\012`, a backslash `\134`; `#` begins a comment at the start of a line.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

_OCTAL = re.compile(rb"\\([0-3][0-7]{2})")
_BLANKS = b" \t\r"
_TAGS = frozenset(("UUID", "LABEL", "PARTUUID", "PARTLABEL", "ID"))
_FIELDS_NEEDED = 3
_FIELDS_AT_MOST = 6
_DUMP, _PASSNO = 4, 5


@dataclass(frozen=True, slots=True, kw_only=True)
class FstabEntry:
    """One line.

    Attributes:
        spec: the device, `UUID=...`, `LABEL=...` or the name of a pseudo file system; as written but for the octal
            escapes.
        mount_point: where; `none` for swap.
        type: the file system's type, maybe several between commas, or `auto`.
        options: the options; empty when the field is missing.
        dump: the fifth field; 0 when missing.
        passno: the sixth field, the order of checks; 0 when missing.
        line: where, from 1.
    """

    spec: str
    mount_point: PurePosixPath
    type: str
    options: tuple[str, ...]
    dump: int
    passno: int
    line: int

    @property
    def tag(self) -> str:
        """`UUID`, `LABEL`, `PARTUUID`, `PARTLABEL` or `ID`; empty when the spec is none of these."""
        tag = self.spec.partition("=")[0]
        return tag if tag in _TAGS and "=" in self.spec else ""

    @property
    def tag_value(self) -> str:
        """What the tag wants, without the quotes that libblkid takes off; empty when there is no tag."""
        value = self.spec.partition("=")[2] if self.tag else ""
        if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
            return value[1:-1]
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Fstab:
    """A whole file; iterating over it gives its entries.

    Attributes:
        entries: in the file's order.
        problems: lines that could not be read, each with its number.
    """

    entries: tuple[FstabEntry, ...]
    problems: tuple[str, ...]

    def __iter__(self) -> Iterator[FstabEntry]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)


def parse_fstab(data: bytes) -> Fstab:
    """Read an fstab. Nothing is raised: lines that cannot be read are among the problems."""
    entries: list[FstabEntry] = []
    problems: list[str] = []
    for number, line in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        text = line.strip(_BLANKS)
        if not text or text.startswith(b"#"):
            continue
        entry, problem = _parse_line(text, number)
        if entry is not None:
            entries.append(entry)
        if problem:
            problems.append(f"line {number}: {problem}")
    return Fstab(entries=tuple(entries), problems=tuple(problems))


def _parse_line(text: bytes, number: int) -> tuple[FstabEntry | None, str]:
    fields = [_decode(field) for field in re.split(rb"[ \t\r]+", text)]
    comment = next((index for index, field in enumerate(fields) if field.startswith("#")), len(fields))
    if comment >= _FIELDS_NEEDED:
        fields = fields[:comment]
    if len(fields) < _FIELDS_NEEDED:
        return None, "it has no mount point or no file system type"
    if "\0" in text.decode("latin-1"):
        return None, "it holds a NUL byte"
    dump, passno = _number(fields, _DUMP), _number(fields, _PASSNO)
    problem = ""
    if dump is None or passno is None:
        problem = "the fifth and sixth field must be numbers"
    elif len(fields) > _FIELDS_AT_MOST:
        problem = "it has more than six fields"
    entry = FstabEntry(
        spec=fields[0],
        mount_point=PurePosixPath(fields[1]),
        type=fields[2],
        options=tuple(option for option in ",".join(fields[3:4]).split(",") if option),
        dump=dump or 0,
        passno=passno or 0,
        line=number,
    )
    return entry, problem


def _number(fields: list[str], index: int) -> int | None:
    """Read a numeric field; 0 when it is missing, None when it is no number."""
    if index >= len(fields):
        return 0
    field = fields[index]
    return int(field) if field.isascii() and field.isdecimal() and len(field) <= _FIELDS_AT_MOST else None


def _decode(field: bytes) -> str:
    raw = _OCTAL.sub(lambda escape: bytes((int(escape[1], 8),)), field)
    return raw.decode("utf-8", "surrogateescape")

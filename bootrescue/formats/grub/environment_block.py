"""GRUB's environment block (`grubenv`): variables in a file of fixed size that GRUB rewrites in place.

Follows grub-core/lib/envblk.c and grub-core/commands/loadenv.c of GRUB 2.06: a signature line, `name=value` lines with
a backslash before backslashes and newlines inside a value, then `#` up to 1,024 bytes.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

SIGNATURE = b"# GRUB Environment Block\n"
BLOCK_SIZE_BYTES = 1024
"""include/grub/lib/envblk.h and util/grub-editenv.c: DEFAULT_ENVBLK_SIZE."""

_LINE = re.compile(
    rb"#(?:[^\\\n]|\\.)*+(?:\n|\Z)|"  # padding and comments
    rb"([^=]*+)=((?:[^\\\n]|\\.)*+)\n",  # the name runs up to the next `=`, over line ends too
    re.DOTALL,
)
_ESCAPE = re.compile(rb"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentAssignment:
    """One variable of the block.

    Attributes:
        name: its name.
        value: its value, escapes removed.
        span: start and end, in bytes, of the value as written.
    """

    name: str
    value: str
    span: tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentBlock:
    """A block with its bytes.

    Attributes:
        data: the file's bytes.
        assignments: the variables in the block's order.
        problems: why GRUB would refuse the block, or could not write into it.
    """

    data: bytes
    assignments: tuple[EnvironmentAssignment, ...]
    problems: tuple[str, ...]

    @property
    def variables(self) -> Mapping[str, str]:
        """What `load_env` sets; where a name stands twice, the last one counts."""
        return {assignment.name: assignment.value for assignment in self.assignments}


def parse(data: bytes) -> EnvironmentBlock:
    """Read a block; a damaged one gives what GRUB would still take from it, and says so. Nothing is raised."""
    if not data.startswith(SIGNATURE):
        problem = "it does not begin with GRUB's signature line: GRUB loads nothing from it"
        return EnvironmentBlock(data=data, assignments=(), problems=(problem,))
    assignments = tuple(_assignments(data))
    return EnvironmentBlock(data=data, assignments=assignments, problems=tuple(_problems(data)))


def render(block: EnvironmentBlock) -> bytes:
    """Print the block: the bytes it was read from."""
    return block.data


def _assignments(data: bytes) -> Iterator[EnvironmentAssignment]:
    """`grub_envblk_iterate`: it stops where a line is broken."""
    position = len(SIGNATURE)
    while match := _LINE.match(data, position):
        position = match.end()
        if match[1] is not None:
            yield EnvironmentAssignment(
                name=_decode(match[1]), value=_decode(_ESCAPE.sub(rb"\1", match[2])), span=match.span(2)
            )


def _decode(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def _problems(data: bytes) -> Iterator[str]:
    if len(data) != BLOCK_SIZE_BYTES:
        yield f"it has {len(data)} bytes instead of {BLOCK_SIZE_BYTES}: GRUB's tools may refuse to write it"
    padding = data.rstrip(b"#")
    if not padding.endswith(b"\n"):
        yield "its padding is damaged: GRUB cannot save a variable in it"

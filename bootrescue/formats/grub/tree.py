"""Read a GRUB script into a tree over its bytes, and write it back unchanged."""

from collections.abc import Iterator

from bootrescue.formats.grub.grammar import top_level
from bootrescue.formats.grub.nodes import (
    Branch,
    Command,
    Comment,
    For,
    Function,
    If,
    Node,
    NotUnderstood,
    Script,
    Space,
    Span,
    While,
)

__all__ = [
    "Branch",
    "Command",
    "Comment",
    "For",
    "Function",
    "If",
    "Node",
    "NotUnderstood",
    "Script",
    "Space",
    "Span",
    "While",
    "parse",
    "render",
]


def parse(data: bytes) -> Script:
    """Read any bytes; what is not a GRUB script becomes `NotUnderstood` nodes. Nothing is raised."""
    starts = [0]
    position = data.find(b"\n")
    while position >= 0:
        starts.append(position + 1)
        position = data.find(b"\n", position + 1)
    nodes = tuple(_fill_gaps(top_level(data), len(data)))
    return Script(data=data, nodes=nodes, line_starts=tuple(starts))


def render(script: Script) -> bytes:
    """Print the tree: the bytes it was read from."""
    return b"".join(script.data[node.start : node.end] for node in script.nodes)


def _fill_gaps(nodes: Iterator[Node], size_bytes: int) -> Iterator[Node]:
    position = 0
    for node in nodes:
        if node.start > position:
            yield Space(start=position, end=node.start)
        yield node
        position = node.end
    if position < size_bytes:
        yield Space(start=position, end=size_bytes)

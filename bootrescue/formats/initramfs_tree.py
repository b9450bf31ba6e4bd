"""The tree that an image becomes: the kernel unpacks entry by entry, and a later one replaces an earlier one.

Source: do_name(), do_symlink(), maybe_link() and clean_path() in init/initramfs.c, Linux 6.12.
"""

from bootrescue.formats.cpio import TYPE_MASK, Entry
from bootrescue.formats.initramfs_model import Acceptance, Image

_LINK_LIMIT = 40
"""MAXSYMLINKS in include/linux/namei.h."""

_STEP_LIMIT = 10_000_000
"""Path components looked at in one image before links are no longer followed; a stock image needs 20,000."""

_LINK_NODE_LIMIT = 200_000
"""Path components of links that are remembered (60 MB at most); a stock image has 3,000."""

_LINK_COUNT_OF_HARD_LINKS = 2

_PATHS_AT_START = frozenset({b"", b"dev", b"dev/console", b"root"})
"""What the kernel's built-in archive holds (usr/default_cpio_list)."""


def normalised(name: bytes) -> bytes:
    """Return a path as seen from the root: no leading, doubled or trailing slash, no "." and no ".."."""
    if not (b"." in name or name[:1] == b"/" or b"//" in name or name[-1:] == b"/"):
        return name
    parts: list[bytes] = []
    for part in name.split(b"/"):
        if part == b"..":
            del parts[-1:]
        elif part not in {b"", b"."}:
            parts.append(part)
    return b"/".join(parts)


def effective_entries(image: Image) -> dict[bytes, Entry]:
    """Return what lies at each path once the kernel has unpacked the image; of a refused one, what would lie there.

    Paths are seen from the root, parents that are symbolic links are followed. Names of one hard link map to the entry
    that has the data. An entry without a parent directory is here, although the kernel drops it: see dropped_entries().
    """
    tree = _Tree()
    refused = image.kernel_view.accepted is Acceptance.REFUSED
    for entry in image.entries:
        if entry.unpacked or refused:
            tree.add(entry)
    return tree.result()


def dropped_entries(image: Image) -> tuple[Entry, ...]:
    """Return the entries that the kernel silently drops because their directory is not there yet."""
    tree = _Tree()
    dropped = []
    for entry in image.entries:
        if entry.unpacked:
            tree.add(entry)
            parent = tree.resolve_parent(normalised(entry.name).rpartition(b"/")[0])
            if parent not in tree.entries and parent not in _PATHS_AT_START:
                dropped.append(entry)
    return tuple(dropped)


class _Tree:
    """The root file system while an image is unpacked into it."""

    def __init__(self) -> None:
        self.entries: dict[bytes, Entry] = {}
        self._parents: dict[bytes, bytes | None] = {}
        self._links = _LinkNode()
        self._steps_left = _STEP_LIMIT
        self._nodes_left = _LINK_NODE_LIMIT
        self._child_counts: dict[bytes, int] = {}
        self._hard_links: dict[bytes, tuple[int, ...]] = {}
        self._holders: dict[tuple[int, ...], Entry] = {}

    def add(self, entry: Entry) -> None:
        """Unpack one entry."""
        parent, slash, last = normalised(entry.name).rpartition(b"/")
        resolved = self.resolve_parent(parent) if slash else b""
        if resolved is None:
            return
        path = resolved + b"/" + last if resolved else last
        present = self.entries.get(path)
        if present is None:
            self._child_counts[resolved] = self._child_counts.get(resolved, 0) + 1
        elif not self._make_room(path, present, entry):
            return
        if entry.is_link:
            self._note_link(path, entry.link_target)
        self.entries[path] = entry
        if entry.nlink >= _LINK_COUNT_OF_HARD_LINKS and not (entry.is_link or entry.is_directory):
            key = (entry.dev_major, entry.dev_minor, entry.ino, entry.mode & TYPE_MASK, entry.archive)
            self._hard_links[path] = key
            if entry.size_bytes or key not in self._holders:
                self._holders[key] = entry
        else:
            self._hard_links.pop(path, None)

    def result(self) -> dict[bytes, Entry]:
        """Return what lies where, each name of a hard link with the entry that has the data."""
        linked = {path: self._holders[key] for path, key in self._hard_links.items()}
        return self.entries | linked

    def _make_room(self, path: bytes, present: Entry, entry: Entry) -> bool:
        """Remove what is of another type, as clean_path() does; a directory goes only when it is empty."""
        if present.mode & TYPE_MASK == entry.mode & TYPE_MASK:
            return True
        if present.is_link:
            self._note_link(path, None)
        return not (present.is_directory and self._child_counts.get(path))

    def resolve_parent(self, parent: bytes) -> bytes | None:
        """Follow symbolic links in the path of a directory; None when they lead in a circle."""
        if parent not in self._parents:
            self._parents[parent] = self._resolve(parent)
        return self._parents[parent]

    def _resolve(self, parent: bytes) -> bytes | None:
        parts = parent.split(b"/")[::-1]
        done: list[bytes] = []
        nodes = [self._links]  # where `done` leads among the links; an empty node where there are none below
        links_left = _LINK_LIMIT
        while parts:
            if self._steps_left <= 0:
                return b"/".join(done + parts[::-1])
            self._steps_left -= 1
            part = parts.pop()
            if part == b"..":
                del done[-1:]
                del nodes[len(done) + 1 :]
            elif part not in {b"", b"."}:
                done.append(part)
                nodes.append(nodes[-1].children.get(part, _NOWHERE))
                target = nodes[-1].target
                if target is not None:
                    if not links_left:
                        return None
                    links_left -= 1
                    keep = 0 if target.startswith(b"/") else len(done) - 1
                    del done[keep:], nodes[keep + 1 :]
                    parts += target.split(b"/")[::-1]
        return b"/".join(done)

    def _note_link(self, path: bytes, target: bytes | None) -> None:
        """Remember where a path leads; None: it is no link any more."""
        self._parents.clear()
        parts = path.split(b"/")
        self._nodes_left -= len(parts)
        if self._nodes_left < 0:
            return
        node = self._links
        for part in parts:
            node = node.children.setdefault(part, _LinkNode())
        node.target = target


class _LinkNode:
    """One path component among the symbolic links: long paths are walked without being put together."""

    __slots__ = ("children", "target")

    def __init__(self) -> None:
        self.children: dict[bytes, _LinkNode] = {}
        self.target: bytes | None = None


_NOWHERE = _LinkNode()

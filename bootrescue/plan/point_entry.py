"""Point boot entries at another image: one word changes in each, every other byte of the configuration stays."""

import hashlib
from pathlib import PurePosixPath

from bootrescue.boot.model import BootChain, BootEntry, Candidate, EntryFile
from bootrescue.errors import RefusedError
from bootrescue.formats.grub.edit import replace_initrd
from bootrescue.formats.grub.entries import read_menu
from bootrescue.formats.grub.tree import parse
from bootrescue.plan.model import ABSENT, PointEntry, RestoreImage, Step

# What grub-mkconfig and kernel packages do to a hand-made change
WILL_NOT_LAST = "The next grub-mkconfig or kernel update writes {path} anew and undoes this change."


def edited(content: bytes, line: int, old: str, new: str) -> bytes:
    """The configuration with one initrd word of the entry in that line changed.

    Raises:
        BadInputError: the entry or the word is not there exactly once.
        RefusedError: no entry begins in that line.
    """
    script = parse(content)
    menu = read_menu(script, environment={})
    for entry in menu.entries:
        if entry.line == line:
            return replace_initrd(script, entry, old, new)
    raise RefusedError(f"no boot entry begins in line {line}")


def point_entries(
    chain: BootChain, entry: BootEntry, target: EntryFile, candidate: Candidate
) -> tuple[tuple[Step, ...], tuple[str, ...]]:
    """Steps that make every entry with the broken image use the candidate instead, and notes.

    GRUB must reach the candidate by the device that the entry searches: where it lies on another file system, a copy
    is put beside the broken image first.
    """
    configuration = next(found for found in chain.configurations if found.path == entry.source_path)
    steps: list[Step] = []
    new = _reachable_name(chain, target, candidate)
    if new is None:
        beside = _copy_name(chain, target)
        steps.append(
            RestoreImage(
                path=beside,
                before_sha256=ABSENT,
                source=candidate.paths[0],
                after_sha256=candidate.facts.image.sha256,
                size_bytes=candidate.facts.image.size_bytes,
            )
        )
        new = str(PurePosixPath(target.written).parent / beside.name)
    content = configuration.content
    notes = [WILL_NOT_LAST.format(path=entry.source_path)]
    for other in chain.entries:
        words = [file.written for file in other.initrds if file.path == target.path]
        if words and other.source_path != entry.source_path:
            notes.append(f"'{other.title}' in {other.source_path} keeps the broken image.")
        if not words or other.source_path != entry.source_path:
            continue
        changed = edited(content, other.source_line, words[0], new)
        steps.append(
            PointEntry(
                path=other.source_path,
                before_sha256=hashlib.sha256(content).hexdigest(),
                entry=other.id,
                line=other.source_line,
                old=words[0],
                new=new,
                after_sha256=hashlib.sha256(changed).hexdigest(),
                size_bytes=len(changed),
            )
        )
        content = changed
    return tuple(steps), tuple(notes)


def _reachable_name(chain: BootChain, target: EntryFile, candidate: Candidate) -> str | None:
    """How the entry would name the candidate, when it lies on the file system that the entry already reads."""
    if target.path is None:
        return None
    mount = chain.system.mount_of(target.path)
    for path in candidate.paths:
        if chain.system.mount_of(path) == mount:
            below = "/" + str(path.relative_to(mount.mount_point))
            own = "/" + str(target.path.relative_to(mount.mount_point))
            prefix = target.written.removesuffix(own) if target.written.endswith(own) else ""
            return prefix + below
    return None


def _copy_name(chain: BootChain, target: EntryFile) -> PurePosixPath:
    """A name beside the broken image that no known image has: what lies there is not replaced."""
    if target.path is None:
        raise RefusedError("the entry's image lies where bootrescue cannot write", where=target.written)
    taken = {path for candidate in chain.candidates for path in candidate.paths}
    names = (f"{target.path.name}.bootrescue{number}" for number in ("", *range(2, len(taken) + 3)))
    return next(path for name in names if (path := target.path.with_name(name)) not in taken)

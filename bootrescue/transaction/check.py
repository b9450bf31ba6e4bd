"""Everything that can be known before the first write: what is left to do, whether it can be done, whether it fits."""

import hashlib
import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import PurePosixPath
from typing import Final

from bootrescue.errors import RefusedError
from bootrescue.host.confined import ConfinedRoot
from bootrescue.host.depmod import INDEX_PREFIX
from bootrescue.host.host import Host
from bootrescue.host.reading import digest_of, read_chunks
from bootrescue.plan.model import ABSENT, Plan, PointEntry, RebuildModuleIndex, RestoreImage, RestoreModule, Step
from bootrescue.plan.point_entry import edited
from bootrescue.transaction.content import contents_of, is_already_so, member_of_image
from bootrescue.transaction.space import Write, require_space

Replacement = RestoreImage | RestoreModule | PointEntry

LOOK_AGAIN: Final = "look again: bootrescue diagnose, then make a new plan"


@dataclass(slots=True)
class _Foreseen:
    """What earlier steps of the plan will have put in place: by path, the file it is copied from, and texts."""

    origins: dict[PurePosixPath, PurePosixPath] = field(default_factory=dict)
    texts: dict[PurePosixPath, bytes] = field(default_factory=dict)


def check(host: Host, root: ConfinedRoot, plan: Plan) -> tuple[Step, ...]:
    """The steps that are left to do; none when all is already so. Writes nothing.

    Raises:
        BadInputError: a source is damaged.
        RefusedError: a file is neither what the plan was made from nor what it makes.
        MachineLacksError: too little space for the old and the new side by side.
    """
    left = _left_to_do(root, plan)
    foreseen = _Foreseen()
    steps: list[Step] = []
    for step in plan.steps:
        if isinstance(step, RebuildModuleIndex):
            # Where nothing changes that the index is made from, it can be told beforehand whether the index will.
            if left or not _is_index_so(host, root, step):
                steps.append(step)
        elif step in left:
            _check_result(root, step, foreseen)
            steps.append(step)
    require_space(root, _writes(root, steps))
    return tuple(steps)


def _left_to_do(root: ConfinedRoot, plan: Plan) -> list[Replacement]:
    """The steps not carried out yet, the index aside: several steps on one path are a chain of states."""
    chains: dict[PurePosixPath, list[Replacement]] = {}
    for step in plan.steps:
        # depmod makes the index from the modules alone, so it does not matter what index lies there now
        if not isinstance(step, RebuildModuleIndex):
            chains.setdefault(step.path, []).append(step)
    left: list[Replacement] = []
    for path, chain in chains.items():
        now = _digest(root, path)
        states = [chain[0].before_sha256, *(step.after_sha256 for step in chain)]
        if now not in states or any(one.after_sha256 != two.before_sha256 for one, two in pairwise(chain)):
            wanted = chain[0].before_sha256
            raise RefusedError(
                f"is not what the plan was made for: SHA-256 {now[:16]}, the plan says {wanted[:16]}",
                where=str(path),
                hint=LOOK_AGAIN,
            )
        done = len(chain) - states[::-1].index(now)
        left += chain[done:]
    return left


def _digest(root: ConfinedRoot, path: PurePosixPath) -> str:
    """The digest of a file that shall be replaced; only a plain file may be."""
    try:
        with root.parent_of(path) as (directory, last):
            kind = os.stat(last, dir_fd=directory, follow_symlinks=False).st_mode
    except FileNotFoundError:
        return ABSENT
    if not stat.S_ISREG(kind):
        raise RefusedError("is no plain file and is not replaced", where=str(path), hint=LOOK_AGAIN)
    return digest_of(root, path) or ABSENT


def _check_result(root: ConfinedRoot, step: Replacement, foreseen: _Foreseen) -> None:
    """Whether a step will make what the plan promises, seen from its sources."""
    origin, made = _result(root, step, foreseen)
    if made != step.after_sha256:
        raise RefusedError(
            f"is no longer what the plan was made from: it would give {made[:16]}, not {step.after_sha256[:16]}",
            where=str(origin),
            hint=LOOK_AGAIN,
        )


def _result(root: ConfinedRoot, step: Replacement, foreseen: _Foreseen) -> tuple[PurePosixPath, str]:
    """The file that a step takes its bytes from, and the digest of what it makes of them."""
    if isinstance(step, PointEntry):
        before = foreseen.texts.get(step.path)
        if before is None:
            before = b"".join(read_chunks(root, step.path))
        text = edited(before, step.line, step.old, step.new)
        foreseen.texts[step.path] = text
        return step.path, hashlib.sha256(text).hexdigest()
    origin = foreseen.origins.get(step.source, step.source)
    if isinstance(step, RestoreModule):
        return origin, hashlib.sha256(member_of_image(root, origin, step.member)).hexdigest()
    foreseen.origins[step.path] = origin
    return origin, digest_of(root, origin) or ABSENT


def _is_index_so(host: Host, root: ConfinedRoot, step: RebuildModuleIndex) -> bool:
    with host.scope() as working:
        return all(is_already_so(root, content) for content in contents_of(working, root, step))


def _writes(root: ConfinedRoot, steps: Iterable[Step]) -> list[Write]:
    writes: list[Write] = []
    for step in steps:
        if isinstance(step, RebuildModuleIndex):
            writes += _index_writes(root, step.path)
        else:
            writes.append(Write(path=step.path, size_bytes=step.size_bytes))
    return writes


def _index_writes(root: ConfinedRoot, modules_directory: PurePosixPath) -> list[Write]:
    """The index is made later; it will be about as large as the one that is there."""
    descriptor = root.open(modules_directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with os.scandir(descriptor) as entries:
            sizes = {
                entry.name: entry.stat(follow_symlinks=False).st_size
                for entry in entries
                if entry.name.startswith(INDEX_PREFIX)
            }
    finally:
        os.close(descriptor)
    return [Write(path=modules_directory / name, size_bytes=size + size // 8) for name, size in sizes.items()]

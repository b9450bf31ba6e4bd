"""Carry a plan out on a target that is open for writing: check, keep, replace, and leave the journal open.

The caller rechecks what was written and then commits or takes back; the journal tells how far it came if nobody does.
"""

from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Final, NoReturn

from bootrescue.errors import (
    BootRescueError,
    ExitCode,
    MachineLacksError,
    NotTakenBackError,
    RefusedError,
    TakenBackError,
)
from bootrescue.host.attributes import Attributes
from bootrescue.host.confined import ConfinedRoot
from bootrescue.host.durable import digest_of, free_bytes, read_attributes, replace, settle
from bootrescue.host.host import Host
from bootrescue.plan.model import ABSENT, Plan, PointEntry, RebuildModuleIndex, RestoreImage, RestoreModule, Step
from bootrescue.transaction.backup import keep
from bootrescue.transaction.content import NewContent, contents_of, is_already_so
from bootrescue.transaction.journal import Journal, begin, change_record
from bootrescue.transaction.model import Change
from bootrescue.transaction.target import Target
from bootrescue.transaction.undo import take_back

# Room for the journal, directories and the file system's own book-keeping
MARGIN_BYTES: Final = 1 << 20


@dataclass(slots=True, kw_only=True)
class Applied:
    """A plan carried out and not yet committed."""

    journal: Journal
    changes: list[Change] = field(default_factory=list)


def check(root: ConfinedRoot, plan: Plan) -> bool:
    """Whether every step's precondition holds; False when every step is already carried out. Writes nothing.

    Raises:
        RefusedError: a file is neither what the plan was made from nor what it makes.
        MachineLacksError: too little space for old and new side by side.
    """
    expected: dict[PurePosixPath, str] = {}
    open_steps = 0
    for step in plan.steps:
        now = expected.get(step.path) or _content_digest(root, step)
        if now == step.after_sha256:
            continue
        if now != step.before_sha256 and not isinstance(step, RebuildModuleIndex):
            raise RefusedError(
                f"is not what the plan was made for: SHA-256 {now[:16]}…, the plan says {step.before_sha256[:16]}…",
                where=str(step.path),
                hint="look again: bootrescue diagnose, then make a new plan",
            )
        _check_source(root, step, expected)
        expected[step.path] = step.after_sha256
        open_steps += not isinstance(step, RebuildModuleIndex)
    if open_steps:
        _check_space(root, plan)
    return open_steps > 0


def _content_digest(root: ConfinedRoot, step: Step) -> str:
    path = step.path / "modules.dep" if isinstance(step, RebuildModuleIndex) else step.path
    return digest_of(root, path) or ABSENT


def _check_source(root: ConfinedRoot, step: Step, expected: dict[PurePosixPath, str]) -> None:
    if isinstance(step, RestoreImage) and step.source not in expected:
        found = digest_of(root, step.source) or ABSENT
        if found != step.after_sha256:
            raise RefusedError("is no longer the image that the plan was made for", where=str(step.source))


def _check_space(root: ConfinedRoot, plan: Plan) -> None:
    """Each file system needs room for its largest new file beside the old one, the root also for the backups."""
    needed: dict[PurePosixPath, int] = {}
    for step in plan.steps:
        if isinstance(step, RebuildModuleIndex):
            continue
        parent = step.path.parent
        needed[parent] = max(needed.get(parent, 0), step.size_bytes)
    for directory, size in needed.items():
        _require_space(root, directory, size + MARGIN_BYTES)
    backups = sum(_size(root, step.path) for step in plan.steps if not isinstance(step, RebuildModuleIndex))
    _require_space(root, PurePosixPath("/"), backups + MARGIN_BYTES)


def _size(root: ConfinedRoot, path: PurePosixPath) -> int:
    from os import close, fstat  # noqa: PLC0415 -- the size of one open file, no more

    try:
        descriptor = root.open(path)
    except FileNotFoundError:
        return 0
    try:
        return fstat(descriptor).st_size
    finally:
        close(descriptor)


def _require_space(root: ConfinedRoot, directory: PurePosixPath, wanted: int) -> None:
    free = free_bytes(root, directory)
    if free < wanted:
        raise MachineLacksError(
            f"has too little space: {wanted} bytes are needed, {free} are free",
            where=str(directory),
            hint="free some, or point the entry at the backup: --remedy point-entry",
        )


def apply(host: Host, plan: Plan, target: Target) -> Applied:
    """Replace every file that the plan names, each one kept first. The file systems are settled afterwards.

    Raises:
        TakenBackError: something failed; everything is as before.
        NotTakenBackError: something failed, and so did taking it back; the journal says where it stands.
    """
    try:
        applied = Applied(journal=begin(target.root, plan.id))
    except OSError as error:
        raise MachineLacksError(
            f"the journal cannot be written: {error.strerror}", where="/var/lib/bootrescue"
        ) from error
    try:
        for step in plan.steps:
            host.report(f"step {type(step).__name__}: {step.path}", 0, getattr(step, "size_bytes", 0))
            for content in contents_of(host, target.root, step):
                _replace_one(target, applied, step, content)
        _settle(target)
    except (OSError, BootRescueError, KeyboardInterrupt) as error:
        take_back_after(target, applied, error)
    return applied


def _replace_one(target: Target, applied: Applied, step: Step, content: NewContent) -> None:
    if is_already_so(target.root, content):
        return
    change = keep(target.root, applied.journal.directory, content.path, len(applied.changes), content.sha256)
    applied.journal.write("change", **change_record(change))
    applied.changes.append(change)
    attributes = change.attributes if change.backup else _attributes_for_new(target.root, step)
    replace(target.root, content.path, content.chunks, attributes, expect_sha256=content.sha256)
    applied.journal.write("replaced", path=str(content.path))


def _attributes_for_new(root: ConfinedRoot, step: Step) -> Attributes:
    """A file that is new takes after its source."""
    match step:
        case RestoreImage() | RestoreModule():
            return read_attributes(root, step.source)
        case PointEntry() | RebuildModuleIndex():
            return Attributes()


def _settle(target: Target) -> None:
    for mount_point in target.mount_points:
        settle(mount_point)


def commit(target: Target, applied: Applied) -> None:
    """Close the journal: what was written has been rechecked."""
    applied.journal.write("committed")
    _settle(target)


def take_back_after(target: Target, applied: Applied, error: BaseException) -> NoReturn:
    """Put everything back as it was, then say why.

    Raises:
        TakenBackError: always, when it could be put back.
        NotTakenBackError: it could not.
    """
    reason = str(error) or type(error).__name__
    try:
        applied.journal.write("take-back-started", reason=reason)
        take_back(target, applied.journal.directory, tuple(applied.changes))
        applied.journal.write("taken-back")
        _settle(target)
    except (OSError, BootRescueError) as second:
        raise NotTakenBackError(
            f"the transaction failed ({reason}) and could not be taken back whole: {second}",
            where=str(applied.journal.path),
            hint=f"see the journal; then bootrescue undo {applied.journal.id}",
        ) from error
    failure = TakenBackError(f"the transaction failed and was taken back: {reason}", where=applied.journal.id)
    if isinstance(error, KeyboardInterrupt):
        failure.exit_code = ExitCode.CANCELLED
    raise failure from error

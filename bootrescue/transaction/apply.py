"""Carry steps out on a target that is open for writing: keep, replace, and leave the journal open.

The caller rechecks what was written and then commits or takes back; the journal tells how far it came if nobody does.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NoReturn

from bootrescue.errors import (
    BootRescueError,
    CancelledError,
    ExitCode,
    MachineLacksError,
    NotTakenBackError,
    TakenBackError,
)
from bootrescue.host.attributes import Attributes
from bootrescue.host.confined import ConfinedRoot
from bootrescue.host.durable import replace
from bootrescue.host.host import Host
from bootrescue.host.reading import read_attributes
from bootrescue.plan.model import PointEntry, RebuildModuleIndex, RestoreImage, RestoreModule, Step, kind_of
from bootrescue.transaction.backup import keep
from bootrescue.transaction.content import NewContent, contents_of, is_already_so
from bootrescue.transaction.journal import Journal, begin, change_record
from bootrescue.transaction.model import STATE_DIRECTORY, Change
from bootrescue.transaction.target import Target, settle_all
from bootrescue.transaction.undo import take_back


@dataclass(slots=True, kw_only=True)
class Applied:
    """Steps carried out and not yet committed."""

    journal: Journal
    changes: list[Change] = field(default_factory=list)


def apply(host: Host, steps: Iterable[Step], target: Target, plan_id: str) -> Applied:
    """Replace every file that the steps name, each one kept first, and settle the file systems.

    Raises:
        MachineLacksError: the journal cannot be begun; nothing else was written.
        TakenBackError: something failed; everything is as before.
        NotTakenBackError: something failed, and so did taking it back; the journal says where it stands.
    """
    try:
        applied = Applied(journal=begin(target.root, plan_id))
    except OSError as error:
        raise MachineLacksError(
            f"the journal cannot be written: {error.strerror}", where=str(STATE_DIRECTORY)
        ) from error
    try:
        for step in steps:
            host.report(f"{kind_of(step)} {step.path}")
            with host.scope() as working:
                for content in contents_of(working, target.root, step):
                    _replace_one(target, applied, step, content)
        settle_all(target)
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


def commit(target: Target, applied: Applied) -> None:
    """Close the journal: what was written has been rechecked."""
    applied.journal.write("committed")
    settle_all(target)


def take_back_after(target: Target, applied: Applied, error: BaseException) -> NoReturn:
    """Put everything back as it was, then say why.

    Raises:
        TakenBackError: always, when it could be put back.
        NotTakenBackError: it could not.
    """
    reason = _reason(error)
    try:
        # On a full disk the journal may be what cannot be written; what was changed is put back all the same.
        with suppress(OSError):
            applied.journal.write("take-back-started", reason=reason)
        take_back(target, applied.journal.directory, tuple(applied.changes))
        applied.journal.write("taken-back")
    except (OSError, BootRescueError) as second:
        raise NotTakenBackError(
            f"the transaction failed ({reason}) and could not be taken back whole: {_reason(second)}",
            where=str(applied.journal.path),
            hint=f"see the journal; then bootrescue undo {applied.journal.id}",
        ) from error
    failure = TakenBackError(f"the transaction failed and was taken back: {reason}", where=applied.journal.id)
    if isinstance(error, (KeyboardInterrupt, CancelledError)):
        failure.exit_code = ExitCode.CANCELLED
    raise failure from error


def _reason(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt):
        return "stopped at the operator's wish"
    return str(error) or type(error).__name__

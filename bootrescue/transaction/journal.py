"""The durable record of a transaction, on the target: one JSON object a line, each flushed before the next act.

A journal read back was written by somebody with root on that disk, or damaged by a crash: it is bounded and checked
like any other input, and a torn last line is normal.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any, Final

from bootrescue.errors import BadInputError
from bootrescue.host.attributes import Attributes
from bootrescue.host.confined import ConfinedRoot
from bootrescue.host.durable import append, make_directories, read_chunks
from bootrescue.transaction.model import STATE_DIRECTORY, Change, Transaction, TransactionState

ID: Final = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{12}")
BACKUP_NAME: Final = re.compile(r"[0-9]{1,5}-[0-9a-f]{64}")
LIMIT_BYTES: Final = 16 << 20
ENDINGS: Final = {
    "committed": TransactionState.COMMITTED,
    "taken-back": TransactionState.TAKEN_BACK,
    "undone": TransactionState.UNDONE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """A journal to write to."""

    root: ConfinedRoot
    id: str

    @property
    def directory(self) -> PurePosixPath:
        """The transaction's directory on the target."""
        return STATE_DIRECTORY / self.id

    @property
    def path(self) -> PurePosixPath:
        """The journal's name on the target."""
        return self.directory / "journal.jsonl"

    def write(self, event: str, **members: object) -> None:
        """Append an event and flush it to the disk.

        Raises:
            OSError: the disk is full or broken.
        """
        record = {"event": event, "time": _now().isoformat(), **members}
        append(self.root, self.path, json.dumps(record, ensure_ascii=True).encode() + b"\n")


def begin(root: ConfinedRoot, plan_id: str) -> Journal:
    """Start the journal of a new transaction.

    Raises:
        OSError: the target cannot be written to.
    """
    journal = Journal(root=root, id=f"{_now():%Y%m%dT%H%M%SZ}-{plan_id}")
    make_directories(root, journal.directory)
    journal.write("started", plan=plan_id)
    return journal


def _now() -> datetime:
    return datetime.now(tz=UTC).replace(microsecond=0)


def change_record(change: Change) -> dict[str, object]:
    """A change as the journal holds it."""
    attributes = change.attributes
    return {
        "path": str(change.path),
        "before": change.before_sha256,
        "after": change.after_sha256,
        "backup": change.backup,
        "mode": attributes.mode,
        "owner": attributes.owner,
        "group": attributes.group,
        "modified_ns": attributes.modified_ns,
        "extended": {key: value.hex() for key, value in attributes.extended},
    }


def read_history(root: ConfinedRoot, names: tuple[str, ...]) -> tuple[Transaction, ...]:
    """The transactions in the named directories, oldest first; what is none of ours is passed over."""
    found = []
    for name in sorted(names):
        if ID.fullmatch(name):
            try:
                content = b"".join(read_chunks(root, STATE_DIRECTORY / name / "journal.jsonl"))
            except OSError:
                continue
            found.append(parse_journal(name, content))
    return tuple(found)


def parse_journal(name: str, content: bytes) -> Transaction:
    """Read a journal.

    Raises:
        BadInputError: a whole line is not what a journal holds.
    """
    where = str(STATE_DIRECTORY / name / "journal.jsonl")
    if len(content) > LIMIT_BYTES:
        raise BadInputError("is larger than any journal", where=where)
    *lines, torn = content.split(b"\n")
    records = [_record(line, where) for line in lines]
    if torn and not records:
        raise BadInputError("its first line is torn", where=where)
    state = TransactionState.INTERRUPTED
    changes: list[Change] = []
    for record in records:
        event = record.get("event")
        state = ENDINGS.get(str(event), state)
        if event in {"undo-started", "take-back-started"}:
            state = TransactionState.INTERRUPTED
        if event == "change":
            changes.append(_change(record, where))
    first = records[0] if records else {}
    return Transaction(
        id=name,
        plan_id=str(first.get("plan", "")),
        started=str(first.get("time", "")),
        state=state,
        changes=tuple(changes),
    )


def _record(line: bytes, where: str) -> Mapping[str, Any]:
    try:
        record = json.loads(line)
    except ValueError as error:
        raise BadInputError(f"a line is not JSON: {error}", where=where) from error
    if not isinstance(record, dict):
        raise BadInputError("a line is no JSON object", where=where)
    return record


def _change(record: Mapping[str, Any], where: str) -> Change:
    try:
        path = PurePosixPath(str(record["path"]))
        backup = str(record["backup"])
        change = Change(
            path=path,
            before_sha256=str(record["before"]),
            after_sha256=str(record["after"]),
            backup=backup,
            attributes=Attributes(
                mode=int(record["mode"]) & 0o7777,
                owner=int(record["owner"]),
                group=int(record["group"]),
                modified_ns=int(record["modified_ns"]) if record["modified_ns"] is not None else None,
                extended=tuple((str(key), bytes.fromhex(value)) for key, value in record["extended"].items()),
            ),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadInputError(f"a change is not whole: {error}", where=where) from error
    if not path.is_absolute() or (backup and not BACKUP_NAME.fullmatch(backup)):
        raise BadInputError("a change names what it must not", where=where)
    return change

"""The durable record of a transaction, on the target: one JSON object a line, each flushed before the next act.

A journal read back was written by somebody with root on that disk, or damaged by a crash: it is bounded and checked
like any other input, and a torn last line is normal.
"""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath
from typing import Any, Final

from bootrescue.errors import BadInputError
from bootrescue.host.attributes import Attributes
from bootrescue.host.confined import ConfinedRoot
from bootrescue.host.durable import append, make_directories
from bootrescue.host.reading import read_chunks
from bootrescue.plan.model import ABSENT
from bootrescue.transaction.model import STATE_DIRECTORY, Change, Transaction, TransactionState

ID: Final = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{12}")
ID_TIME: Final = "%Y%m%dT%H%M%SZ"
DIGEST: Final = re.compile(r"[0-9a-f]{64}")
BACKUP_NAME: Final = re.compile(r"[0-9]{1,5}-([0-9a-f]{64})")
LIMIT_BYTES: Final = 16 << 20
ENDINGS: Final = {
    "committed": TransactionState.COMMITTED,
    "taken-back": TransactionState.TAKEN_BACK,
    "undone": TransactionState.UNDONE,
}
# Whoever goes back may find a line that a power cut or a full disk has torn; nothing else is written after one.
GOING_BACK: Final = frozenset({"take-back-started", "taken-back", "undo-started", "undone"})


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
        start = b"\n" if event in GOING_BACK else b""
        append(self.root, self.path, start + json.dumps(record, ensure_ascii=True).encode() + b"\n")


def begin(root: ConfinedRoot, plan_id: str) -> Journal:
    """Start the journal of a new transaction, in a directory of its own that sorts after all others.

    Raises:
        BadInputError: a transaction on the target claims a time after which there is none.
        OSError: the target cannot be written to.
    """
    make_directories(root, STATE_DIRECTORY)
    moment = _now()
    names = transaction_names(root)
    # The order of ids is the order of undo, also where the clock stands at 1970 or a plan is applied twice a second.
    if names and f"{moment:{ID_TIME}}" <= names[-1].partition("-")[0]:
        moment = _after(names[-1])
    journal = Journal(root=root, id=f"{moment:{ID_TIME}}-{plan_id}")
    make_directories(root, journal.directory)
    journal.write("started", plan=plan_id)
    return journal


def _now() -> datetime:
    return datetime.now(tz=UTC).replace(microsecond=0)


def _after(name: str) -> datetime:
    try:
        last = datetime.strptime(name.partition("-")[0], ID_TIME).replace(tzinfo=UTC)
        return last + timedelta(seconds=1)
    except (ValueError, OverflowError) as error:
        raise BadInputError("its name holds no time", where=str(STATE_DIRECTORY / name)) from error


def transaction_names(root: ConfinedRoot) -> list[str]:
    """The ids of the transactions on a target, oldest first; what is none of ours is passed over.

    Raises:
        OSError: the directory cannot be read.
    """
    try:
        descriptor = root.open(STATE_DIRECTORY, os.O_RDONLY | os.O_DIRECTORY)
    except (FileNotFoundError, NotADirectoryError):
        return []
    try:
        with os.scandir(descriptor) as entries:
            return sorted(entry.name for entry in entries if ID.fullmatch(entry.name))
    finally:
        os.close(descriptor)


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


def read_history(root: ConfinedRoot) -> tuple[Transaction, ...]:
    """The transactions on a target, oldest first.

    Raises:
        BadInputError: a journal is damaged.
        OSError: one cannot be read. To pass it over could hide an interrupted transaction.
    """
    found = []
    for name in transaction_names(root):
        content = _read(root, STATE_DIRECTORY / name / "journal.jsonl")
        # A power cut may come between the directory and its first line
        if content is not None:
            found.append(parse_journal(name, content))
    return tuple(found)


def _read(root: ConfinedRoot, path: PurePosixPath) -> bytes | None:
    content = bytearray()
    try:
        for chunk in read_chunks(root, path):
            content += chunk
            if len(content) > LIMIT_BYTES:
                break
    except (FileNotFoundError, NotADirectoryError):
        return None
    except IsADirectoryError as error:
        raise BadInputError("is a directory", where=str(path)) from error
    return bytes(content)


def parse_journal(name: str, content: bytes) -> Transaction:
    """Read a journal.

    Raises:
        BadInputError: a whole line is not what a journal holds.
    """
    where = str(STATE_DIRECTORY / name / "journal.jsonl")
    if len(content) > LIMIT_BYTES:
        raise BadInputError("is larger than any journal", where=where)
    records = _records(content, where)
    state = TransactionState.INTERRUPTED
    changes: list[Change] = []
    for record in records:
        event = record.get("event")
        state = ENDINGS.get(str(event), state)
        if event in {"undo-started", "take-back-started"}:
            state = TransactionState.INTERRUPTED
        if event == "change":
            changes.append(_change(record, where))
    if state is TransactionState.INTERRUPTED and not changes:
        # Each change is recorded before it is made, so here nothing was changed
        state = TransactionState.TAKEN_BACK
    first = records[0] if records else {}
    return Transaction(
        id=name,
        plan_id=str(first.get("plan", "")),
        started=str(first.get("time", "")),
        state=state,
        changes=tuple(changes),
    )


def _records(content: bytes, where: str) -> list[Mapping[str, Any]]:
    """The whole lines. A torn one may only stand last, or where somebody began to go back after it."""
    lines = [line for line in content.split(b"\n")[:-1] if line]
    records: list[Mapping[str, Any]] = []
    torn = False
    for line in lines:
        record = _record(line)
        if record is None and torn:
            break
        if record is not None:
            if torn and record.get("event") not in GOING_BACK:
                break
            records.append(record)
        torn = record is None
    else:
        if not torn:
            return records
    raise BadInputError(
        "a line is damaged",
        where=where,
        hint="the kept files lie beside it, each named by its SHA-256; move this directory away to go on without it",
    )


def _record(line: bytes) -> Mapping[str, Any] | None:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def _change(record: Mapping[str, Any], where: str) -> Change:
    try:
        path = PurePosixPath(str(record["path"]))
        change = Change(
            path=path,
            before_sha256=str(record["before"]),
            after_sha256=str(record["after"]),
            backup=str(record["backup"]),
            attributes=Attributes(
                mode=_number(record["mode"], 0o7777),
                owner=_number(record["owner"], (1 << 32) - 2),
                group=_number(record["group"], (1 << 32) - 2),
                modified_ns=_time(record["modified_ns"]),
                extended=tuple((str(key), bytes.fromhex(value)) for key, value in record["extended"].items()),
            ),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadInputError(f"a change is not whole: {error}", where=where) from error
    if not _is_in_order(change):
        raise BadInputError("a change names what it must not", where=where)
    return change


def _number(value: object, most: int) -> int:
    if not isinstance(value, int) or not 0 <= value <= most:
        raise ValueError(f"{value!r} is out of range")
    return value


def _time(value: object) -> int | None:
    """Nanoseconds since 1970, possibly before it, as far as a file system can tell them."""
    if value is None:
        return None
    if not isinstance(value, int) or not -(1 << 62) <= value <= 1 << 62:
        raise ValueError(f"{value!r} is no time")
    return value


def _is_in_order(change: Change) -> bool:
    """Whether a change is one that a transaction makes: a path of the target, and a backup of just its old bytes."""
    path = change.path
    inside = path.is_absolute() and not {"..", "\0"} & {*path.parts, *str(path)} and bool(path.name)
    kept = BACKUP_NAME.fullmatch(change.backup)
    backed = kept.group(1) == change.before_sha256 if kept else (change.backup, change.before_sha256) == ("", ABSENT)
    known = bool(DIGEST.fullmatch(change.after_sha256))
    return inside and backed and known and not path.is_relative_to(STATE_DIRECTORY)

"""The journal: what it tells after a crash, after damage, and when somebody hostile wrote it."""

import json
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as some

from bootrescue.errors import BadInputError
from bootrescue.host.attributes import Attributes
from bootrescue.host.confined import ConfinedRoot
from bootrescue.plan.model import ABSENT
from bootrescue.transaction import journal
from bootrescue.transaction.journal import Journal, begin, change_record, parse_journal, read_history
from bootrescue.transaction.model import Change, TransactionState

ID = "20260101T000000Z-0123456789ab"
OLD, NEW = "a" * 64, "b" * 64
CHANGE = Change(
    path=PurePosixPath("/boot/initrd.img"),
    before_sha256=OLD,
    after_sha256=NEW,
    backup=f"0-{OLD}",
    attributes=Attributes(mode=0o600, owner=1, group=2, modified_ns=3, extended=(("user.x", b"\0\xff"),)),
)


def line(event: str, **members: object) -> bytes:
    return json.dumps({"event": event, **members}).encode() + b"\n"


STARTED = line("started", plan="0123456789ab", time="2026-01-01T00:00:00+00:00")
CHANGED = line("change", **change_record(CHANGE))


def parsed_state(*lines: bytes) -> TransactionState:
    return parse_journal(ID, b"".join(lines)).state


digests = some.text("0123456789abcdef", min_size=64, max_size=64)
names = some.text(some.characters(exclude_characters="/\0"), min_size=1).filter(lambda name: name not in {".", ".."})
attribute_sets = some.builds(
    Attributes,
    mode=some.integers(0, 0o7777),
    owner=some.integers(0, (1 << 32) - 2),
    group=some.integers(0, (1 << 32) - 2),
    modified_ns=some.none() | some.integers(-(1 << 62), 1 << 62),
    extended=some.dictionaries(some.text(min_size=1), some.binary()).map(lambda found: tuple(found.items())),
)


@given(parts=some.lists(names, min_size=1), before=digests | some.just(ABSENT), after=digests, kept=attribute_sets)
def test_a_change_reads_back_as_it_was_written(parts: list[str], before: str, after: str, kept: Attributes) -> None:
    change = Change(
        path=PurePosixPath("/", *parts),
        before_sha256=before,
        after_sha256=after,
        backup="" if before == ABSENT else f"7-{before}",
        attributes=kept,
    )
    assert parse_journal(ID, STARTED + line("change", **change_record(change))).changes == (change,)


@given(some.binary())
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    try:
        parse_journal(ID, content)
    except BadInputError:
        return


@pytest.mark.parametrize(
    ("events", "state"),
    [
        ([], "interrupted"),
        (["replaced"], "interrupted"),
        (["committed"], "committed"),
        (["take-back-started"], "interrupted"),
        (["take-back-started", "taken-back"], "taken-back"),
        (["committed", "undo-started"], "interrupted"),
        (["committed", "undo-started", "undone"], "undone"),
        (["committed", "take-back-started", "taken-back"], "taken-back"),
    ],
)
def test_the_events_tell_how_far_it_came(events: list[str], state: str) -> None:
    assert parsed_state(STARTED, CHANGED, *(line(event) for event in events)) == state


@pytest.mark.parametrize("content", [b"", STARTED[:10], STARTED, STARTED + CHANGED[:40], STARTED + CHANGED[:-1]])
def test_without_a_whole_change_nothing_was_changed(content: bytes) -> None:
    found = parse_journal(ID, content)
    assert found.state is TransactionState.TAKEN_BACK
    assert found.changes == ()


def test_a_torn_last_line_is_passed_over() -> None:
    for end in range(len(CHANGED)):
        found = parse_journal(ID, STARTED + CHANGED + CHANGED[:end])
        assert found.changes == (CHANGE,)
        assert found.state is TransactionState.INTERRUPTED


@pytest.mark.parametrize("event", ["undo-started", "take-back-started", "taken-back", "undone"])
def test_whoever_goes_back_may_write_after_a_torn_line(event: str) -> None:
    found = parse_journal(ID, STARTED + CHANGED + CHANGED[:30] + b"\n" + line(event))
    assert found.changes == (CHANGE,)


@pytest.mark.parametrize("event", ["change", "replaced", "committed"])
def test_nothing_else_may_stand_after_a_damaged_line(event: str) -> None:
    with pytest.raises(BadInputError) as caught:
        parse_journal(ID, STARTED + CHANGED[:30] + b"\n" + line(event, **change_record(CHANGE)))
    assert ID in caught.value.where
    assert caught.value.hint


@pytest.mark.parametrize(
    "damaged",
    [
        STARTED + CHANGED[:30] + b"\n",
        STARTED + CHANGED[:30] + b"\n" + CHANGED[:30] + b"\n" + line("undone"),
        STARTED + b"[]\n",
        STARTED + b"[" * 100_000 + b"\n",
        STARTED + b"\xff\xfe\n",
        b" " * ((16 << 20) + 1),
    ],
)
def test_damage_is_bad_input(damaged: bytes) -> None:
    with pytest.raises(BadInputError):
        parse_journal(ID, damaged)


@pytest.mark.parametrize(
    "lie",
    [
        {"path": "boot/initrd.img"},
        {"path": "/boot/../../etc/shadow"},
        {"path": "/"},
        {"path": "/boot/a\0b"},
        {"path": f"/var/lib/bootrescue/{ID}/journal.jsonl"},
        {"backup": "../../../etc/shadow"},
        {"backup": f"0-{OLD}/../x"},
        {"backup": f"0-{NEW}"},
        {"backup": ""},
        {"backup": f"0-{OLD}\n"},
        {"before": ABSENT},
        {"after": ABSENT},
        {"after": "A" * 64},
        {"mode": 0o10000},
        {"mode": "0600"},
        {"mode": 1.5},
        {"owner": -1},
        {"owner": 1 << 32},
        {"group": (1 << 32) - 1},
        {"modified_ns": 1 << 70},
        {"modified_ns": "now"},
        {"extended": []},
        {"extended": {"user.x": "zz"}},
        {"extended": {"user.x": 1}},
    ],
)
def test_a_change_that_no_transaction_makes_is_refused(lie: dict[str, object]) -> None:
    with pytest.raises(BadInputError):
        parse_journal(ID, STARTED + line("change", **{**change_record(CHANGE), **lie}))


@pytest.mark.parametrize("missing", ["path", "before", "after", "backup", "mode", "extended"])
def test_a_change_that_lacks_something_is_refused(missing: str) -> None:
    record = change_record(CHANGE)
    del record[missing]
    with pytest.raises(BadInputError):
        parse_journal(ID, STARTED + line("change", **record))


@pytest.fixture
def root(tmp_path: Path) -> ConfinedRoot:
    (tmp_path / "root/var/lib").mkdir(parents=True)
    return ConfinedRoot(path=tmp_path / "root")


def test_two_transactions_in_one_second_are_two(root: ConfinedRoot) -> None:
    made = [begin(root, "0123456789ab").id for _ in range(3)]
    assert len(set(made)) == 3
    assert made == sorted(made)
    assert [found.id for found in read_history(root)] == made


def test_a_clock_at_1970_does_not_change_the_order(root: ConfinedRoot, monkeypatch: pytest.MonkeyPatch) -> None:
    first = begin(root, "0123456789ab").id
    monkeypatch.setattr(journal, "_now", lambda: datetime(1970, 1, 1, tzinfo=UTC))
    second = begin(root, "aaaaaaaaaaaa").id
    assert [found.id for found in read_history(root)] == [first, second]
    assert read_history(root)[1].started.startswith("1970")


def test_an_id_at_the_end_of_time_is_bad_input(root: ConfinedRoot) -> None:
    (root.path / "var/lib/bootrescue/99991231T235959Z-0123456789ab").mkdir(parents=True)
    with pytest.raises(BadInputError):
        begin(root, "0123456789ab")


def test_what_is_no_transaction_is_passed_over(root: ConfinedRoot) -> None:
    state = root.path / "var/lib/bootrescue"
    for name in ("README", "20260101T000000Z-0123456789ab.old", f"{ID}"):
        (state / name).mkdir(parents=True)
    (state / "20260101T000000Z-ffffffffffff").write_bytes(b"no directory")
    assert read_history(root) == ()


def test_a_journal_that_is_a_directory_is_bad_input(root: ConfinedRoot) -> None:
    (root.path / "var/lib/bootrescue" / ID / "journal.jsonl").mkdir(parents=True)
    with pytest.raises(BadInputError):
        read_history(root)


def test_a_journal_that_cannot_be_read_is_not_passed_over(root: ConfinedRoot, monkeypatch: pytest.MonkeyPatch) -> None:
    begin(root, "0123456789ab")

    def broken(*_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(journal, "read_chunks", broken)
    with pytest.raises(OSError, match="Input/output"):
        read_history(root)


def test_a_journal_without_end_is_not_read_to_its_end(root: ConfinedRoot) -> None:
    path = root.path / "var/lib/bootrescue" / ID / "journal.jsonl"
    path.parent.mkdir(parents=True)
    with path.open("wb") as stream:
        stream.truncate(1 << 40)
    with pytest.raises(BadInputError, match="larger"):
        read_history(root)


@pytest.mark.parametrize("place", ["var/lib/bootrescue", f"var/lib/bootrescue/{ID}"])
def test_a_link_out_of_the_target_stays_inside(place: str, root: ConfinedRoot, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    (outside / ID).mkdir(parents=True)
    for directory in (outside, outside / ID):
        (directory / "journal.jsonl").write_bytes(STARTED + CHANGED)
    link = root.path / place
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(outside)
    assert read_history(root) == ()
    before = sorted(outside.rglob("*"))
    with pytest.raises(OSError, match=r"No such file|File exists|Not a directory"):
        Journal(root=root, id=ID).write("undo-started")
    assert sorted(outside.rglob("*")) == before
    assert (outside / ID / "journal.jsonl").read_bytes() == STARTED + CHANGED

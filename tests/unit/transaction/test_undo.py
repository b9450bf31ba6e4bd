"""Undo: back to the bytes and attributes before, or not at all."""

import os
from dataclasses import replace
from pathlib import Path, PurePosixPath
from types import SimpleNamespace

import pytest

from bootrescue.errors import CancelledError, ExitCode, MachineLacksError, RefusedError, TakenBackError
from bootrescue.host.confined import ConfinedRoot
from bootrescue.host.host import Host
from bootrescue.transaction import apply as transaction
from bootrescue.transaction.journal import read_history
from bootrescue.transaction.model import Transaction, TransactionState
from bootrescue.transaction.target import Target
from bootrescue.transaction.undo import undo
from tests.unit.transaction.world import (
    BACKUP,
    GOOD_IMAGE,
    GRUB,
    IMAGE,
    MODULE,
    NEW_IMAGE,
    OLD_TIME_NS,
    PLANS,
    carry_out,
    plan_of,
    point_entries,
    restore_image,
    seen,
)

ALL = PLANS["all"]


def here(root: ConfinedRoot, path: PurePosixPath) -> Path:
    return root.path / path.relative_to("/")


def last(root: ConfinedRoot) -> Transaction:
    return read_history(root)[-1]


def undone(root: ConfinedRoot, number: int = -1) -> bool:
    return undo(Target(root=root, mount_points=()), read_history(root)[number])


@pytest.mark.parametrize("name", PLANS)
def test_everything_comes_back(name: str, host: Host, root: ConfinedRoot) -> None:
    before = seen(root)
    carry_out(host, root, PLANS[name])
    assert seen(root) != before
    assert undone(root)
    assert seen(root) == before
    assert last(root).state is TransactionState.UNDONE
    assert not undone(root)


def test_what_replaces_a_file_takes_its_attributes(host: Host, root: ConfinedRoot) -> None:
    before = seen(root)[str(IMAGE)]
    carry_out(host, root, plan_of(restore_image()))
    assert seen(root)[str(IMAGE)] == replace(before, content=GOOD_IMAGE)
    assert before.modified_ns == OLD_TIME_NS


def test_what_is_new_takes_after_its_source(host: Host, root: ConfinedRoot) -> None:
    carry_out(host, root, plan_of(restore_image(NEW_IMAGE)))
    assert seen(root)[str(NEW_IMAGE)] == seen(root)[str(BACKUP)]
    assert undone(root)
    assert not here(root, NEW_IMAGE).exists()


def test_a_hard_linked_backup_is_not_destroyed(host: Host, root: ConfinedRoot) -> None:
    kept = here(root, IMAGE).with_name("initrd.img.dpkg-bak")
    os.link(here(root, IMAGE), kept)
    inode = kept.stat().st_ino
    before = kept.read_bytes()
    carry_out(host, root, plan_of(restore_image()))
    assert (kept.stat().st_ino, kept.stat().st_nlink) == (inode, 1)
    assert kept.read_bytes() == before
    undone(root)
    assert here(root, IMAGE).read_bytes() == before


@pytest.mark.parametrize("path", [IMAGE, NEW_IMAGE, MODULE, GRUB])
def test_a_file_changed_since_is_a_conflict_and_nothing_is_written(
    path: PurePosixPath, host: Host, root: ConfinedRoot
) -> None:
    carry_out(host, root, ALL)
    here(root, path).write_bytes(b"somebody else's work")
    before = seen(root)
    journal = here(root, last(root).journal).read_bytes()
    with pytest.raises(RefusedError) as caught:
        undone(root)
    assert caught.value.where == str(path)
    assert caught.value.exit_code is ExitCode.REFUSED
    assert seen(root) == before
    assert here(root, last(root).journal).read_bytes() == journal


@pytest.mark.parametrize("damage", ["flipped", "gone"])
def test_a_damaged_backup_is_not_put_back(damage: str, host: Host, root: ConfinedRoot) -> None:
    carry_out(host, root, ALL)
    change = last(root).changes[0]
    kept = here(root, last(root).directory / change.backup)
    kept.write_bytes(b"x") if damage == "flipped" else kept.unlink()
    before = seen(root)
    with pytest.raises(RefusedError, match="damaged"):
        undone(root)
    assert seen(root) == before


def test_a_backup_that_is_not_needed_may_be_gone(host: Host, root: ConfinedRoot) -> None:
    """Of two changes to one file only the first one's backup is wanted, and none where the old bytes are back."""
    before = seen(root)
    carry_out(host, root, plan_of(*point_entries()))
    here(root, last(root).directory / last(root).changes[1].backup).unlink()
    assert undone(root)
    assert seen(root) == before


def test_transactions_on_one_file_are_undone_in_their_order_only(host: Host, root: ConfinedRoot) -> None:
    before = seen(root)
    for step in point_entries():
        carry_out(host, root, plan_of(step))
    with pytest.raises(RefusedError, match="changed by somebody else"):
        undone(root, 0)
    assert undone(root, 1)
    assert undone(root, 0)
    assert seen(root) == before


def test_too_little_space_for_the_old_file_is_told_first(
    host: Host, root: ConfinedRoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    carry_out(host, root, ALL)
    before = seen(root)
    figures = SimpleNamespace(f_blocks=0, f_flag=0, f_bfree=100, f_frsize=1, f_ffree=100, f_files=100)
    monkeypatch.setattr(os, "fstatvfs", lambda _: figures)
    with pytest.raises(MachineLacksError, match="too little space"):
        undone(root)
    assert seen(root) == before
    assert last(root).state is TransactionState.COMMITTED


def test_what_was_staged_and_left_is_cleared_away(host: Host, root: ConfinedRoot) -> None:
    carry_out(host, root, plan_of(restore_image()))
    left = here(root, IMAGE).with_name(".bootrescue-0123456789abcdef")
    other = here(root, IMAGE).with_name(".bootrescue-notes")
    left.write_bytes(b"half an image")
    other.write_bytes(b"the operator's own")
    assert undone(root)
    assert not left.exists()
    assert other.exists()


@pytest.mark.parametrize("error", [KeyboardInterrupt(), CancelledError("stopped")])
def test_a_cancelled_transaction_is_taken_back_and_says_cancelled(
    error: BaseException, host: Host, root: ConfinedRoot
) -> None:
    before = seen(root)

    def stop(progress: object) -> None:
        if "grub.cfg" in str(progress):
            raise error

    with pytest.raises(TakenBackError) as caught:
        carry_out(replace(host, listener=stop), root, ALL)
    assert caught.value.exit_code is ExitCode.CANCELLED
    assert seen(root) == before
    assert last(root).state is TransactionState.TAKEN_BACK
    assert last(root).changes


def test_a_journal_that_cannot_be_begun_is_no_transaction(host: Host, root: ConfinedRoot) -> None:
    (root.path / "var/lib/bootrescue").write_bytes(b"a file in the way")
    before = seen(root)
    with pytest.raises(MachineLacksError, match="journal"):
        transaction.apply(host, ALL.steps, Target(root=root, mount_points=()), ALL.id)
    assert seen(root) == before


def test_a_link_in_the_way_of_the_state_directory_leads_nowhere_outside(
    host: Host, root: ConfinedRoot, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (root.path / "var/lib/bootrescue").symlink_to(outside)
    with pytest.raises(MachineLacksError):
        transaction.apply(host, ALL.steps, Target(root=root, mount_points=()), ALL.id)
    assert list(outside.iterdir()) == []

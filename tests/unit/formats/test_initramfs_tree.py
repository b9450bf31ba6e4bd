"""What lies where once an image is unpacked."""

import pytest

from bootrescue.formats.initramfs import (
    dropped_entries,
    effective_entries,
)
from tests.image_builders import (
    CpioFile,
    archive,
    directory,
    file,
    link,
    small_tree,
)
from tests.image_reading import read


def test_last_entry_of_a_name_wins_in_every_spelling() -> None:
    image = read(archive(directory("a"), file("a/b", b"1"), file("./a//b", b"22"), file("/a/../a/b", b"333")))
    assert effective_entries(image)[b"a/b"].size_bytes == 3


def test_parents_that_are_links_are_followed() -> None:
    tree = (
        directory("usr"),
        directory("usr/lib"),
        link("lib", "usr/lib"),
        file("lib/x", b"1"),
        file("usr/lib/x", b"22"),
    )
    effective = effective_entries(read(archive(*tree)))
    assert effective[b"usr/lib/x"].size_bytes == 2
    assert b"lib/x" not in effective


def test_links_in_a_circle_do_not_hang() -> None:
    effective = effective_entries(read(archive(link("a", "b"), link("b", "a"), file("a/x"))))
    assert set(effective) == {b"a", b"b"}


def test_links_to_above_the_root_and_links_that_become_directories() -> None:
    tree = (directory("a"), directory("b"), link("a/up", "../../../b"), file("a/up/x"), link("c", "/b"), file("c/y"))
    assert {b"b/x", b"b/y"} <= set(effective_entries(read(archive(*tree))))
    later = effective_entries(read(archive(*tree, directory("c"), file("c/z"))))
    assert {b"b/y", b"c/z"} <= set(later)


def test_deep_paths_through_many_links_take_no_time() -> None:
    deep = b"/".join([b"d"] * 2000)
    entries = [
        CpioFile(name=name, body=b"x" if mode == 0o120777 else b"", mode=mode)
        for n in range(300)
        for name, mode in ((b"l%d" % n, 0o120777), (deep + b"/%d" % n, 0o100644))
    ]
    assert len(effective_entries(read(archive(*entries)))) == 600


def test_file_over_an_empty_and_over_a_full_directory() -> None:
    empty = effective_entries(read(archive(directory("a"), file("a"))))
    assert empty[b"a"].is_regular
    full = effective_entries(read(archive(directory("a"), file("a/x"), file("a"))))
    assert full[b"a"].is_directory


@pytest.mark.parametrize("first", [b"", b"data"])
def test_hard_link_with_data_on_either_name(first: bytes) -> None:
    one = CpioFile(name=b"one", body=first, nlink=2, ino=7)
    two = CpioFile(name=b"two", body=b"" if first else b"data", nlink=2, ino=7)
    effective = effective_entries(read(archive(one, two)))
    assert effective[b"one"].size_bytes == effective[b"two"].size_bytes == 4


def test_hard_link_does_not_cross_a_trailer() -> None:
    one = CpioFile(name=b"one", body=b"data", nlink=2, ino=7)
    two = CpioFile(name=b"two", nlink=2, ino=7)
    assert effective_entries(read(archive(one) + archive(two)))[b"two"].size_bytes == 0


def test_entry_without_its_directory_is_dropped_by_the_kernel() -> None:
    image = read(archive(file("no/where"), file("dev/x"), *small_tree()))
    assert [entry.name for entry in dropped_entries(image)] == [b"no/where"]

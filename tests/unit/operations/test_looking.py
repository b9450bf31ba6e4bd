"""The operations that only look: what they answer, and that they need no privilege for a directory."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bootrescue.cli.main import main
from bootrescue.errors import BadInputError, ExitCode, UsageError
from bootrescue.operations.diagnose import is_fine
from bootrescue.operations.entries import list_entries_of_file, show_entry
from bootrescue.operations.examine import examine
from bootrescue.operations.list_image import list_image, render_list, shown
from tests.chain_builders import IMAGE, ImageRecipe, Machine, image, menu_entry
from tests.image_builders import file

NOBODY = 65534
COMMANDS = (["scan"], ["diagnose"], ["backups"], ["plan"], ["entries", "list"], ["history"])


@contextmanager
def nobody() -> Iterator[None]:
    """Without privilege inside the with block."""
    os.setegid(NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


@pytest.mark.root
def test_a_directory_is_looked_at_without_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = Machine().write_to(tmp_path / "machine")
    with monkeypatch.context() as patched:
        patched.setattr("os.geteuid", lambda: NOBODY)
        for command in COMMANDS:  # whatever is imported late is imported while root may still read it
            main([*command, "--root", str(directory)])
    for place in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        place.chmod(0o755)
    with nobody():
        codes = [main([*command, "--root", str(directory)]) for command in COMMANDS]
    # a directory says nothing of its disks, so that no entry is proved to boot
    assert codes == [0, ExitCode.WRONG, 0, 0, 0, 0]


def test_only_a_default_that_boots_is_fine() -> None:
    assert is_fine(Machine().diagnosis())
    assert not is_fine(Machine(files={IMAGE: None}).diagnosis())
    assert not is_fine(Machine(grub=menu_entry("x", IMAGE, more=" rdinit=/bin/sh")).diagnosis())
    assert not is_fine(Machine(grub="blscfg\n" + menu_entry("x", IMAGE)).diagnosis())


def test_an_entry_is_shown_by_id_or_title() -> None:
    listed = list_entries_of_file((menu_entry("a", IMAGE) + menu_entry("b", IMAGE) * 2).encode(), "grub.cfg")
    assert [entry.title for entry in show_entry(listed, "a").entries] == ["a"]
    assert [entry.id for entry in show_entry(listed, "2").entries] == ["2"]
    for wanted in ("b", "none"):
        with pytest.raises(UsageError):
            show_entry(listed, wanted)


def test_an_image_is_listed_in_the_order_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(image(ImageRecipe(more=(file("odd\x1bname"), file("bidi\u202e")))))
    listing = list_image(str(path))
    names = render_list(listing).splitlines()
    assert (listing.complete, names[0], names[-1]) == (True, "kernel", "usr/share/filler")
    assert "odd\\x1bname" in names
    assert "bidi\\u202e" in names


@pytest.mark.parametrize(("name", "text"), [(b"a\xffb", "a\\xffb"), (b"a\nb", "a\\nb"), ("ä".encode(), "ä")])
def test_a_name_is_shown_so_that_a_terminal_can_take_it(name: bytes, text: str) -> None:
    assert shown(name) == text


def test_what_is_no_image_file_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(BadInputError):
        list_image(str(tmp_path))
    with pytest.raises(BadInputError):
        examine(str(tmp_path / "none"))
    with pytest.raises(BadInputError):
        examine(str(tmp_path))
    with pytest.raises(BadInputError):
        examine("/")

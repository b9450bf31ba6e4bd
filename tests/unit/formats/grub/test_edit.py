"""One image changes and nothing else."""

import pytest

from bootrescue.errors import BadInputError
from bootrescue.formats.grub.edit import replace_initrd
from bootrescue.formats.grub.entries import read_menu
from bootrescue.formats.grub.tree import parse

ENTRY = b"menuentry 'T' {\r\n\tlinux16 /k\t# kernel\r\n\tinitrd16  /ucode.img %s $tuned_initrd  # images\r\n}\r\n"


def replaced(text: bytes, old: str, new: str, number: int = 0) -> bytes:
    script = parse(text)
    entry = read_menu(script, environment={}).entries[number]
    return replace_initrd(script, entry, old, new)


@pytest.mark.parametrize(
    ("before", "after", "old", "new"),
    [
        (b"/a.img", b"/b.img", "/a.img", "/b.img"),
        (b"'/a.img'", b"'/b.img'", "/a.img", "/b.img"),
        (b'"/a b.img"', b'"/c d.img"', "/a b.img", "/c d.img"),
        (b"/a.img", b"'/c d.img'", "/a.img", "/c d.img"),
        (b"/a\\ b.img", b"/b.img", "/a b.img", "/b.img"),
        (b"($root)/a.img", b"($root)/b.img", "($root)/a.img", "($root)/b.img"),
        (b'"$root/a.img"', b'"$root/b.img"', "$root/a.img", "$root/b.img"),
        (b"($root)/a.img", b"'(hd0,1)/b img'", "($root)/a.img", "(hd0,1)/b img"),
        (b"a\\\r\nb.img", b"c.img", "ab.img", "c.img"),
    ],
)
def test_exactly_one_word_changes(before: bytes, after: bytes, old: str, new: str) -> None:
    assert replaced(ENTRY % before, old, new) == ENTRY % after


def test_a_known_variable_at_the_beginning_stays() -> None:
    text = b"d=/boot\nmenuentry T {\nlinux /k\ninitrd $d/a.img\n}\n"
    assert replaced(text, "/boot/a.img", "/boot/b.img") == text.replace(b"a.img", b"b.img")
    assert replaced(text, "/boot/a.img", "/c.img") == text.replace(b"$d/a.img", b"/c.img")


def test_only_the_named_entry_changes() -> None:
    text = ENTRY % b"/a.img" + ENTRY % b"/a.img"
    assert replaced(text, "/a.img", "/b.img", 1) == ENTRY % b"/a.img" + ENTRY % b"/b.img"


@pytest.mark.parametrize(
    ("text", "old"),
    [
        (ENTRY % b"/a.img", "/none.img"),
        (ENTRY % b"/a.img /a.img", "/a.img"),
        (b"x='/a.img /c.img'\nmenuentry T {\nlinux /k\ninitrd $x\n}\n", "/a.img"),
        (b"function f { initrd /a.img; }\nmenuentry T {\nlinux /k\nf\n}\n", "/a.img"),
        (b"menuentry T {\nif [ -f /x ]; then initrd /a.img; else initrd /a.img; fi\n}\n", "/a.img"),
    ],
)
def test_an_edit_that_is_not_clear_is_refused(text: bytes, old: str) -> None:
    with pytest.raises(BadInputError) as caught:
        replaced(text, old, "/b.img")
    assert old in caught.value.what
    assert caught.value.where.startswith("line ")


def test_a_variable_that_the_old_image_had_not_is_refused() -> None:
    with pytest.raises(BadInputError):
        replaced(ENTRY % b"($root)/a.img", "($root)/a.img", "($other)/b.img")


@pytest.mark.parametrize("new", ["", "/a\nb", "/\0"])
def test_a_new_image_that_is_no_word_is_refused(new: str) -> None:
    with pytest.raises(BadInputError):
        replaced(ENTRY % b"/a.img", "/a.img", new)

"""How GRUB 2.06 cuts words, each line tried with the real grub-emu."""

from collections.abc import Sequence

import pytest

from bootrescue.errors import BadInputError
from bootrescue.formats.grub.entries import read_menu
from bootrescue.formats.grub.tree import parse
from bootrescue.formats.grub.words import Expanded, expand, quote

HEAD = b"v='p q'\nvv=' l t '\n"


def words_of(line: bytes) -> list[str] | None:
    """Give what `linux` receives from these words inside an entry; None when GRUB makes no entry of it."""
    script = HEAD + b"menuentry 'T' extra {\n linux " + line + b"\n}\n"
    entries = read_menu(parse(script), environment={}).entries
    if not entries:
        return None
    assert len(entries) == 1
    entry = entries[0]
    first = [entry.kernel] if entry.kernel_keyword and (entry.kernel or entry.arguments or line == b'""') else []
    return first + [word.text for word in entry.arguments]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (rb'root=ZFS="rpool/a" x', ["root=ZFS=rpool/a", "x"]),
        (rb'"a\"b" "c\\d" "e\xf" "g\$h"', ['a"b', r"c\d", r"e\xf", "g$h"]),
        (rb"a\ b c\\d e\x20f \#g", ["a b", r"c\d", "ex20f", "#g"]),
        (rb"'a\b' 'c\\d'", [r"a\b", r"c\\d"]),
        (rb'$v "$v" ${v}z', ["p", "q", "p q", "p", "qz"]),
        (rb'[$n] "$n" ${n}x $n y', ["[]", "", "x", "y"]),
        (rb"a#b #comment", ["a#b"]),
        (rb"a #it's a comment", ["a"]),
        (rb""""{" '}' """, ["{", "}"]),
        (rb'$"text" b', ["text", "b"]),
        (rb"${1} $# $2", ["T", "2", "extra"]),
        (rb"/k a ; # c }", ["/k", "a"]),
        (rb"'it'\''s' x", ["it's", "x"]),
        (rb"""a"b"'c'd\e""", ["abcde"]),
        (rb'"$v"x y$v', ["p qx", "yp", "q"]),
        (rb"${vv}a $vv", ["l", "ta", "l", "t"]),
        (rb'$@ "$@" $*', ["T", "extra", "T", "extra", "T", "extra"]),
        (b"a\\\nb", ["ab"]),
        (b"x \\\n y", ["x", "y"]),
        (b"x \\\r\n y\r", ["x", "y"]),
        (b"x \\\n#skipped\n y", ["x", "y"]),
        (b"\"a\nb\" 'c\nd'", ["a\nb", "c\nd"]),
        (b"\"e\\\nf\" 'g\\\nh'", ["ef", "g\\\nh"]),
        (b"a fi done", ["a", "fi", "done"]),
        (b"a\x00b c", ["a"]),
        (b"a=b{c}", ["a=b", "{c}"]),
        (b"x" * 3000, ["x" * 3000]),
        (b"a " * 400, ["a"] * 400),
    ],
)
def test_words_are_cut_as_grub_cuts_them(line: bytes, words: list[str]) -> None:
    assert words_of(line) == words


@pytest.mark.parametrize(
    "line",
    [b"a&b", b"a|b", b"a<b", b"a>b", b"a=$ b", b'"$"', b'"a$"', b"a [[ b", b"a ;; b", b"a=b{c} d", b"a }b"],
)
def test_a_line_that_grub_refuses_leaves_no_entry(line: bytes) -> None:
    assert words_of(line) is None


def test_an_unknown_variable_stays_visible() -> None:
    def lookup(_name: str) -> Sequence[Expanded]:
        return (Expanded(text="", known=False),)

    assert expand(b'($root)/x "${y}z"', lookup) == [Expanded(text="($root)/x ${y}z", known=False)]


def test_a_pattern_over_files_is_unknown() -> None:
    script = b"menuentry T {\n linux /boot/vmlinuz-* a*\n}\n"
    entry = read_menu(parse(script), environment={}).entries[0]
    assert not entry.kernel_known
    assert entry.arguments[0].known


@pytest.mark.parametrize(
    ("text", "like", "written"),
    [
        ("/boot/initrd.img", b"/old", b"/boot/initrd.img"),
        ("/boot/initrd.img", b'"/old"', b'"/boot/initrd.img"'),
        ("/boot/initrd.img", b"'/old'", b"'/boot/initrd.img'"),
        ("/a b", b"/old", b"'/a b'"),
        ("/it's", b"'/old'", b"'/it'\\''s'"),
        ('/a"b$c', b'"/old"', b"'/a\"b$c'"),
        ("#x", b"", b"'#x'"),
        ("[[", b"", b"'[['"),
        ("/x*", b"", b"'/x*'"),
        ("/ü", b"", "'/ü'".encode()),
    ],
)
def test_a_text_is_quoted_as_its_place_was(text: str, like: bytes, written: bytes) -> None:
    assert quote(text, like=like) == written


@pytest.mark.parametrize("text", ["", "/a\nb", "/a\rb", "/a\0b", "/a\tb", "\ud800"])
def test_a_text_that_is_no_word_is_refused(text: str) -> None:
    with pytest.raises(BadInputError):
        quote(text)

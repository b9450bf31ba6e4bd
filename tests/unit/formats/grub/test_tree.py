"""The tree: lossless, and as strict as GRUB 2.06; each refusal was tried with grub-emu or grub-script-check."""

import pytest

from bootrescue.formats.grub.tree import Command, Comment, If, NotUnderstood, Script, parse, render


def kinds(script: Script) -> list[str]:
    return [type(node).__name__ for node in script.nodes if type(node).__name__ != "Space"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"set a=1\n", ["Command"]),
        (b"set a=1; set b=2 # why\n", ["Command", "Command", "Comment"]),
        (b"function f { a; }\nfunction g\n{\na\n}\n", ["Function", "Function"]),
        (b"if a; then b; elif c; then d; else e; fi\n", ["If"]),
        (b"for x in 1 2; do a; done\nwhile a; do b; done\nuntil a; do b; done\n", ["For", "While", "While"]),
        (b"menuentry T {linux /k a}\nmenuentry T{\nlinux /k\n};\n", ["Command", "Command"]),
        (b"# one\n\n# two\n", ["Comment", "Comment"]),
        (b"menuentry T\n{\nlinux /k\n}\n", ["Command", "NotUnderstood", "Command", "NotUnderstood"]),
        (b"menuentry T { }\nset a=1\n", ["NotUnderstood", "Command"]),
        (b"set a=1; }\nset b=2\n", ["NotUnderstood", "Command"]),
        (b"if true; then ; a; fi\nset b=2\n", ["NotUnderstood", "Command"]),
        (b"function f { a }\nset b=2\n", ["NotUnderstood", "Command"]),
        (b"a 'never closed\nset b=2\n", ["NotUnderstood"]),
        (b"if true; then\nset b=2\n", ["NotUnderstood"]),
        (b"menuentry T {\nlinux a&b\n}\nset c=1\n", ["NotUnderstood", "NotUnderstood", "Command"]),
        (b"set a=1; } 'not looked at\nset b=2\n", ["NotUnderstood", "Command"]),
        (b"a\x00 } ' \nset b=2\n", ["Command", "Command"]),
    ],
)
def test_statements(text: bytes, expected: list[str]) -> None:
    script = parse(text)
    assert kinds(script) == expected
    assert render(script) == text


def test_a_refused_line_says_where_and_why() -> None:
    node = parse(b"set a=1\nlinux a&b\nset c=1\n").nodes[2]
    assert isinstance(node, NotUnderstood)
    assert (node.start, node.end, node.error_at) == (8, 17, 15)
    assert "&" in node.reason


def test_words_know_their_bytes() -> None:
    text = b"\tlinux  /k 'a b'\n"
    node = parse(text).nodes[1]
    assert isinstance(node, Command)
    assert [word.raw for word in node.words] == [b"linux", b"/k", b"'a b'"]
    assert all(text[word.start : word.end] == word.raw for word in node.words)


def test_comments_inside_blocks_are_nodes() -> None:
    node = parse(b"if a # why\nthen\n # c }\n b\nfi\n").nodes[0]
    assert isinstance(node, If)
    assert any(isinstance(inner, Comment) for inner in node.branches[0].body)


def test_lines_are_counted_from_one() -> None:
    script = parse(b"a\nb\n\nc")
    assert [script.line(offset) for offset in (0, 1, 2, 4, 5)] == [1, 1, 2, 3, 4]


@pytest.mark.parametrize(
    "unit", [b"if true; then x; ", b"{ ", b"a {\n", b"a '", b'"$', b"\\\n", b"fi\n", b"\n;", b'\0"']
)
def test_hostile_repetition_is_read_quickly_and_prints_back(unit: bytes) -> None:
    text = unit * 20_000
    assert render(parse(text)) == text

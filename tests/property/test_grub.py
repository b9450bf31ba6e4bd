"""Laws of the GRUB parser: what is read prints back, an edit touches its word only, nothing hangs or crashes."""

from hypothesis import given
from hypothesis import strategies as st

from bootrescue.errors import BadInputError
from bootrescue.formats.grub.edit import replace_initrd
from bootrescue.formats.grub.entries import default_entry, read_menu
from bootrescue.formats.grub.environment_block import SIGNATURE
from bootrescue.formats.grub.environment_block import parse as parse_block
from bootrescue.formats.grub.environment_block import render as render_block
from bootrescue.formats.grub.tree import NotUnderstood, parse, render
from bootrescue.formats.grub.words import expand, quote
from bootrescue.formats.shell_assignments import parse_assignments

PIECES = (
    *(b"menuentry", b"submenu", b"'T'", b"{", b"}", b"{\n", b"\n}\n", b"linux /k", b"initrd /i", b"if ", b"; then "),
    *(b"; else ", b"; elif ", b"; fi", b"for x in ", b"; do ", b"; done", b"while ", b"function f ", b"f", b"set x="),
    *(b"$x", b'"$x"', b"${x}", b"'", b'"', b"\\", b"\\\n", b"\n", b"\r\n", b" ", b"\t", b";", b"#", b"[ ", b" ]"),
    *(b" = ", b"-f", b"return", b"break", b"$@", b"$1", b"--id ", b"--class", b"\0", b"\xff", b"&", b"true", b"false"),
    *(b"search --fs-uuid --set=root ", b"load_env", b"export x", b"x=", b"default", b"$", b"[[", b"\xef\xbb\xbf"),
)
SCRIPTS = st.one_of(
    st.binary(max_size=300),
    st.lists(st.sampled_from(PIECES), max_size=60).map(b"".join),
    st.lists(st.sampled_from(PIECES), max_size=60).map(b" ".join),
)
PATHS = (
    st.text(min_size=1, max_size=40)
    .filter(
        lambda text: (
            all(character >= " " and character != "\x7f" for character in text)
            and not any(0xD800 <= ord(character) < 0xDC80 or 0xDCFF < ord(character) < 0xE000 for character in text)
        )
    )
    .filter(lambda text: text.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape") == text)
)


@given(SCRIPTS)
def test_what_is_read_prints_back(data: bytes) -> None:
    script = parse(data)
    assert render(script) == data
    position = 0
    for node in script.nodes:
        assert node.start == position < node.end
        position = node.end
    assert position == len(data)


@given(SCRIPTS, st.dictionaries(st.sampled_from(("saved_entry", "next_entry", "x")), st.text(max_size=5)))
def test_any_script_gives_a_menu_or_a_named_error(data: bytes, environment: dict[str, str]) -> None:
    try:
        menu = read_menu(parse(data), environment=environment)
    except BadInputError:
        return
    default_entry(menu)


@given(PATHS, st.sampled_from((b"", b"/x", b"'/x'", b'"/x"')))
def test_a_quoted_text_is_read_back_as_it_was(text: str, like: bytes) -> None:
    words = expand(quote(text, like=like), lambda _name: ())
    assert [(word.text, word.known) for word in words] == [(text, True)]


@given(SCRIPTS, PATHS, PATHS, SCRIPTS, st.sampled_from(("linux", "linux16", "linuxefi")))
def test_an_edit_changes_its_word_and_nothing_else(
    before: bytes, old: str, new: str, after: bytes, keyword: str
) -> None:
    head = before + b"\n"
    if not parse(head).nodes or any(isinstance(node, NotUnderstood) for node in parse(head).nodes):
        head = b"# plain\n"
    written = quote(old)
    entry_text = f"menuentry 'T' {{\n {keyword} /k\n initrd /ucode.img ".encode()
    data = head + entry_text + written + b" # why\n}\n" + after
    script = parse(data)
    line = head.count(b"\n") + 1
    try:
        found = [entry for entry in read_menu(script, environment={}).entries if entry.line == line]
        edited = [replace_initrd(script, entry, old, new) for entry in found]
    except BadInputError:
        return
    start = len(head) + len(entry_text)
    for result in edited:
        assert result.startswith(data[:start])
        assert result.endswith(data[start + len(written) :])
        reread = [entry for entry in read_menu(parse(result), environment={}).entries if entry.line == line]
        assert new in [word.text for word in reread[0].initrds]


@given(st.one_of(st.binary(max_size=200), st.binary(max_size=200).map(lambda data: SIGNATURE + data)))
def test_an_environment_block_prints_back(data: bytes) -> None:
    block = parse_block(data)
    assert render_block(block) == data
    assert all(data[item.span[0] - 1 : item.span[0]] == b"=" for item in block.assignments)


@given(st.one_of(st.binary(max_size=200), st.lists(st.sampled_from((*PIECES, b"A=", b"B="))).map(b"".join)))
def test_assignments_know_their_bytes(data: bytes) -> None:
    for item in parse_assignments(data).assignments:
        assert data[: item.span[0]].endswith(item.name.encode() + b"=")

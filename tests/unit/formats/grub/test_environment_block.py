"""The environment block, and damaged ones."""

from bootrescue.formats.grub.environment_block import BLOCK_SIZE_BYTES, SIGNATURE, parse, render


def block(text: bytes) -> bytes:
    return (SIGNATURE + text).ljust(BLOCK_SIZE_BYTES, b"#")


def test_variables_and_their_places() -> None:
    data = block(b"saved_entry=CentOS Linux (3.10) 7\nkernelopts=root=UUID=a ro\n")
    parsed = parse(data)
    assert parsed.variables == {"saved_entry": "CentOS Linux (3.10) 7", "kernelopts": "root=UUID=a ro"}
    assert parsed.problems == ()
    start, end = parsed.assignments[1].span
    assert data[start:end] == b"root=UUID=a ro"
    assert render(parsed) == data


def test_escapes_and_the_last_of_two() -> None:
    parsed = parse(block(b"a=x\\\\y\\\nz\na=last\n# WARNING: do not edit\nb=\n"))
    assert [assignment.value for assignment in parsed.assignments] == ["x\\y\nz", "last", ""]
    assert parsed.variables == {"a": "last", "b": ""}


def test_a_newline_in_the_padding_hides_nothing_before_it() -> None:
    data = (SIGNATURE + b"a=1\n").ljust(500, b"#") + b"\n"
    parsed = parse(data.ljust(BLOCK_SIZE_BYTES, b"#"))
    assert parsed.variables == {"a": "1"}


def test_damaged_blocks_say_so() -> None:
    assert "signature" in parse(b"saved_entry=1\n").problems[0]
    assert parse(b"").variables == {}
    assert "bytes" in parse(SIGNATURE + b"a=1\n").problems[0]
    assert "padding" in parse((SIGNATURE + b"a=1").ljust(BLOCK_SIZE_BYTES, b"#")).problems[0]
    assert parse(SIGNATURE + b"a=1").variables == {}

"""os-release files, and the shell syntax they may use."""

import pytest

from bootrescue.formats.os_release import parse_os_release
from bootrescue.formats.shell_assignments import parse_assignments

CENTOS = b"""NAME="CentOS Linux"
VERSION="7 (Core)"
ID="centos"
ID_LIKE="rhel fedora"
VERSION_ID="7"
PRETTY_NAME="CentOS Linux 7 (Core)"

CENTOS_MANTISBT_PROJECT="CentOS-7"
"""


def test_centos() -> None:
    release = parse_os_release(CENTOS)
    assert (release.id, release.name, release.version_id) == ("centos", "CentOS Linux", "7")
    assert release.pretty_name == "CentOS Linux 7 (Core)"
    assert release.id_like == ("rhel", "fedora")
    assert dict(release.fields)["CENTOS_MANTISBT_PROJECT"] == "CentOS-7"
    assert release.problems == ()


def test_defaults_of_the_manual_page() -> None:
    release = parse_os_release(b"")
    assert (release.id, release.name, release.pretty_name, release.id_like) == ("linux", "Linux", "Linux", ())


@pytest.mark.parametrize(
    ("text", "value", "known"),
    [
        (b"A=b", "b", True),
        (b"A='b c'", "b c", True),
        (b'A="b\\"c\\$d\\\\e\\x"', 'b"c$d\\e\\x', True),
        (b"A=b\\ c", "b c", True),
        (b"A=\"b\"'c'd", "bcd", True),
        (b"export A=b # why", "b", True),
        (b"A=b\r", "b", True),
        (b'A="b\nc"', "b\nc", True),
        (b"A=$b", "$b", False),
        (b'A="`b`"', "`b`", False),
        (b"A='$b'", "$b", True),
        (b"A=", "", True),
        (b"\xef\xbb\xbfA=b", "b", True),
        (b"A=\xff", "\udcff", True),
    ],
)
def test_values(text: bytes, value: str, *, known: bool) -> None:
    parsed = parse_assignments(text + b"\n")
    assert parsed.problems == ()
    assert [(item.name, item.value, item.known) for item in parsed.assignments] == [("A", value, known)]


def test_bad_lines_are_counted_and_the_rest_is_read() -> None:
    parsed = parse_assignments(b"A=1\nnot one\nB='2\n\nC=3\n")
    assert parsed.values == {"A": "1", "C": "3"}
    assert [problem.split(":")[0] for problem in parsed.problems] == ["line 2", "line 3"]
    assert parsed.assignments[1].line == 5


def test_a_value_knows_its_bytes() -> None:
    text = b"A=1\nGRUB_DEFAULT='x y' # why\n"
    start, end = parse_assignments(text).assignments[1].span
    assert text[start:end] == b"'x y'"

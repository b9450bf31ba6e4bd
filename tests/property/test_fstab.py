"""Laws of the fstab parser: it never raises, and what is written by the rules is read back."""

from hypothesis import given
from hypothesis import strategies as st

from bootrescue.formats.fstab import parse_fstab

FIELDS = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20).filter(
    lambda text: text.strip() == text and not text.startswith(("#", "/"))
)


def escaped(text: str) -> str:
    for character in "\\ \t\n\r":
        text = text.replace(character, f"\\{ord(character):03o}")
    return text


@given(st.one_of(st.binary(max_size=300), st.text(alphabet="UI=/ \t\n\r\\#012a,\0\x0b", max_size=200).map(str.encode)))
def test_any_bytes_are_read(data: bytes) -> None:
    fstab = parse_fstab(data)
    lines = data.count(b"\n") + 1
    assert all(1 <= entry.line <= lines for entry in fstab)
    assert len(fstab) == len(fstab.entries)


@given(FIELDS, FIELDS, st.integers(0, 9))
def test_escaped_fields_come_back(spec: str, path: str, passno: int) -> None:
    fstab = parse_fstab(f"{escaped(spec)} /{escaped(path)} ext4 rw,noatime 0 {passno}\n".encode())
    assert fstab.problems == ()
    entry = fstab.entries[0]
    assert (entry.spec, entry.options, entry.passno) == (spec, ("rw", "noatime"), passno)
    assert entry.mount_point.parts == ("/", *(part for part in path.split("/") if part not in {"", "."}))

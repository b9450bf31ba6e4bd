"""Laws of the module index: written and read back it is the same, and noise is told, not raised."""

from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from bootrescue.errors import BadInputError
from bootrescue.formats.kernel_image import parse_kernel_image
from bootrescue.formats.module_index import (
    match_modalias,
    parse_modules_alias,
    parse_modules_builtin,
    parse_modules_dep,
    render_modules_dep,
)

PATHS = st.from_regex(r"kernel/[a-z0-9_]{1,12}/[a-z0-9_-]{1,12}\.ko(\.xz|\.zst|\.gz)?", fullmatch=True)


@given(st.dictionaries(PATHS, st.lists(PATHS, max_size=4).map(tuple), min_size=1, max_size=10))
def test_modules_dep_comes_back(depends: dict[str, tuple[str, ...]]) -> None:
    assert parse_modules_dep(render_modules_dep(depends)).depends == depends


@given(st.binary(max_size=400))
def test_noise_is_told(noise: bytes) -> None:
    index = parse_modules_dep(noise)
    assert index.depends or index.problems
    parse_modules_builtin(noise)
    match_modalias(parse_modules_alias(b"alias " + noise + b" x\n" + noise), "pci:v0")


@given(st.text("ab-_*?[]", max_size=12), st.text("ab-_", max_size=8))
def test_any_pattern_can_be_matched(pattern: str, modalias: str) -> None:
    match_modalias([(pattern, "x")], modalias)
    assert match_modalias([("*", "x")], modalias) == ("x",)


@given(st.binary(max_size=3000), st.integers(0, 3000))
def test_noise_is_no_kernel(noise: bytes, pointer: int) -> None:
    for head in (b"", b"MZ\0\0zimg", b"\x7fELF", b"\x1f\x8b\x08"):
        data = bytearray(head + noise)
        data[0x202:0x206] = b"HdrS"
        data[0x20E:0x210] = pointer.to_bytes(2, "little")
        for stored in (bytes(data), head + noise):
            with suppress(BadInputError):
                assert parse_kernel_image(stored).release

"""Laws of modules: no bytes crash the examination, and packing changes nothing but the packing."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bootrescue.formats.compression import Codec, compress
from bootrescue.formats.kernel_module import examine_module, kernel_message
from tests.image_builders import ModuleRecipe, kernel_module

SOUND = kernel_module()
WORDS = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="=,"), min_size=1, max_size=20)


@given(st.binary(max_size=500))
def test_noise_never_raises(noise: bytes) -> None:
    for stored in (noise, b"\x7fELF\x02\x01\x01" + noise, noise + b"~Module signature appended~\n"):
        assert examine_module(stored).faults


@given(st.lists(st.tuples(st.integers(0, len(SOUND) - 1), st.integers(0, 255)), max_size=8))
def test_bytes_changed_anywhere_never_raise(changes: list[tuple[int, int]]) -> None:
    stored = bytearray(SOUND)
    for at, value in changes:
        stored[at] = value
    kernel_message(examine_module(bytes(stored)))


@given(WORDS, st.lists(WORDS, max_size=4), st.sampled_from([32, 64]), st.sampled_from(["<", ">"]))
def test_modinfo_comes_back(name: str, depends: list[str], bits: int, order: str) -> None:
    recipe = ModuleRecipe(name=name, info=("depends=" + ",".join(depends),), bits=bits, byte_order=order)
    module = examine_module(kernel_module(recipe))
    assert (module.name, module.depends, module.faults) == (name, tuple(depends), ())


@given(st.sampled_from([Codec.GZIP, Codec.XZ, Codec.ZSTD]))
def test_packing_changes_only_the_packing(codec: Codec) -> None:
    bare, packed = examine_module(SOUND), examine_module(compress(SOUND, codec))
    assert replace(packed, compression=Codec.NONE, size_bytes=bare.size_bytes, sha256=bare.sha256) == bare

"""Laws of images: segments cover every byte, nothing that is cut is complete, noise neither crashes nor hangs."""

import io
import zlib
from collections.abc import Callable
from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from bootrescue.errors import BadInputError
from bootrescue.formats.compression import Codec, compress, decompress
from bootrescue.formats.initramfs import Image, effective_entries, looks_like_image, read_image
from tests.image_builders import PACKERS, CpioFile, aligned, archive, small_tree

NAMES = st.binary(min_size=1, max_size=60).filter(lambda name: b"\0" not in name and name != b"TRAILER!!!")
FILES = st.builds(
    CpioFile,
    name=NAMES,
    body=st.binary(max_size=300),
    mode=st.sampled_from([0o100644, 0o100755, 0o120777, 0o040755]),
    nlink=st.integers(1, 3),
    ino=st.integers(0, 3),
    magic=st.sampled_from([b"070701", b"070702"]),
)
ARCHIVES = st.lists(FILES, max_size=6).map(lambda files: archive(*files))
MEMBERS = st.tuples(st.sampled_from(list(PACKERS.values())), ARCHIVES, st.integers(1, 200).map(lambda n: n * 4))
MAGICS = st.sampled_from(
    [
        b"",
        b"070701",
        b"070702",
        b"\x1f\x8b\x08\0",
        b"BZh9",
        b"\x5d\0\0",
        b"\xfd7zXZ\0",
        b"\x02\x21\x4c\x18",
        b"\x28\xb5\x2f\xfd",
    ]
)


def read(stored: bytes) -> Image:
    return read_image(io.BytesIO(stored), visit=lambda _entry, _body: None)


def assert_covers_every_byte(image: Image, stored: bytes) -> None:
    assert image.size_bytes == len(stored)
    at = image.segments[0].offset if image.segments else len(stored)
    assert not stored[:at].strip(b"\0")
    for segment in image.segments:
        assert segment.offset == at
        at += segment.stored_size_bytes
        assert not stored[at - segment.padding_size_bytes : at].strip(b"\0")
    assert at == len(stored) - image.bootconfig_size_bytes
    assert sum(segment.entry_count for segment in image.segments) == len(image.entries)


@given(st.lists(MEMBERS, min_size=1, max_size=4))
def test_segments_of_a_sound_image_cover_every_byte(
    parts: list[tuple[Callable[[bytes], bytes], bytes, int]],
) -> None:
    stored = b"".join(aligned(pack(data)) + bytes(nuls) for pack, data, nuls in parts)
    image = read(stored)
    assert_covers_every_byte(image, stored)
    assert image.complete, image.problems
    assert len(image.segments) == len(parts)


@given(st.sampled_from(list(PACKERS.values())), st.lists(FILES, min_size=1, max_size=6))
def test_entries_come_back_as_they_were_written(pack: Callable[[bytes], bytes], files: list[CpioFile]) -> None:
    image = read(pack(archive(*files)))
    assert [entry.name for entry in image.entries] == [one.name for one in files]
    assert [entry.mode for entry in image.entries] == [one.mode for one in files]
    assert [entry.size_bytes for entry in image.entries] == [len(one.body) for one in files]
    assert len(effective_entries(image)) <= len(files)


@given(st.sampled_from(list(PACKERS.values())), st.data())
def test_what_is_cut_is_never_complete(pack: Callable[[bytes], bytes], data: st.DataObject) -> None:
    stored = pack(archive(*small_tree()))
    cut = stored[: data.draw(st.integers(0, len(stored) - 1))]
    image = read(cut)
    assert not image.complete
    assert_covers_every_byte(image, cut)


@given(st.sampled_from(list(PACKERS.values())), st.data())
def test_a_flipped_bit_neither_crashes_nor_is_proved(pack: Callable[[bytes], bytes], data: st.DataObject) -> None:
    sound = pack(archive(*small_tree()))
    at = data.draw(st.integers(0, len(sound) - 1))
    stored = bytearray(sound)
    stored[at] ^= 1 << data.draw(st.integers(0, 7))
    image = read(bytes(stored))
    assert_covers_every_byte(image, bytes(stored))
    if image.proved:  # a bit that is not data, such as gzip's time stamp: then the same entries come out
        assert [entry.name for entry in image.entries] == [entry.name for entry in read(sound).entries]


@given(MAGICS, st.binary(max_size=2000))
def test_noise_neither_crashes_nor_hangs(magic: bytes, noise: bytes) -> None:
    stored = magic + noise
    image = read(stored)
    assert_covers_every_byte(image, stored)
    effective_entries(image)
    looks_like_image(stored)
    with suppress(BadInputError):
        decompress(stored, limit_bytes=1 << 20)


@given(st.sampled_from(list(PACKERS.values())), st.binary(max_size=2000))
def test_noise_inside_a_sound_member(pack: Callable[[bytes], bytes], noise: bytes) -> None:
    read(pack(noise))
    image = read(pack(archive(*small_tree(), trailer=False) + noise))
    assert len(image.entries) >= len(small_tree())


@given(st.binary(max_size=5000), st.sampled_from([Codec.NONE, Codec.GZIP, Codec.XZ, Codec.ZSTD]))
def test_packed_and_unpacked_is_the_same(data: bytes, codec: Codec) -> None:
    stored = compress(data, codec)
    if codec is not Codec.NONE:
        assert decompress(stored, limit_bytes=len(data)) == data


@given(st.binary(min_size=1, max_size=3000), st.binary(max_size=50))
def test_a_member_ends_exactly_where_it_ends(data: bytes, behind: bytes) -> None:
    """The codecs that know their end hand over what follows untouched."""
    packed = zlib.compress(data, wbits=31)
    image = read(packed + b"\0" + b"x" + behind)
    assert image.segments[0].stored_size_bytes == len(packed) + 1

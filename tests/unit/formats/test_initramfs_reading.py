"""Odd images, each as the kernel judged it when it was booted."""

import lzma
from collections.abc import Callable

import cramjam
import pytest
import zstandard

from bootrescue.formats.compression import Codec
from bootrescue.formats.initramfs import (
    Acceptance,
    effective_entries,
)
from tests.image_builders import (
    PACKERS,
    CpioFile,
    aligned,
    archive,
    cpio_entry,
    early_archive,
    file,
    gzip_packed,
    lz4_packed,
    small_tree,
    with_bootconfig,
    xz_packed,
    zstd_packed,
)
from tests.image_reading import FAILED, MAIN, OVERRIDE, assert_covers_every_byte, names, read, unpacked


def test_two_archives_in_one_member_are_one_segment() -> None:
    image = read(gzip_packed(MAIN + bytes(508) + OVERRIDE))
    assert len(image.segments) == 1
    assert image.kernel_view.accepted is Acceptance.WHOLE
    assert [entry.archive for entry in image.entries] == [0] * 6 + [1]


def test_two_raw_archives_are_two_segments() -> None:
    assert [segment.offset for segment in read(MAIN + OVERRIDE).segments] == [0, len(MAIN)]


def test_archive_split_over_two_gzip_members() -> None:
    image = read(gzip_packed(MAIN[:300]) + gzip_packed(MAIN[300:]))
    assert image.kernel_view.message == FAILED + "junk at the end of compressed archive"
    assert image.kernel_view.accepted is Acceptance.PARTLY
    assert not image.complete


def test_raw_archive_not_aligned_behind_a_packed_member() -> None:
    stored = gzip_packed(MAIN)
    gap = 1 if (len(stored) + 1) % 4 else 2
    image = read(stored + bytes(gap) + OVERRIDE)
    assert image.kernel_view.message == FAILED + "invalid magic at start of compressed archive"
    assert names(image).count(b"init") == 2, "a tool can read what the kernel cannot"
    assert effective_entries(image)[b"init"].segment == 0
    assert image.complete


def test_member_not_aligned_behind_a_raw_archive() -> None:
    image = read(early_archive() + b"\0" + gzip_packed(MAIN))
    assert image.kernel_view.message == FAILED + "broken padding"
    assert image.kernel_view.accepted is Acceptance.PARTLY
    assert b"init" not in effective_entries(image)


def test_entry_not_aligned_inside_a_member() -> None:
    image = read(gzip_packed(MAIN + bytes(3) + OVERRIDE))
    assert image.kernel_view.message == FAILED + "broken padding"
    assert len(image.entries) == 6


def test_junk_inside_a_member() -> None:
    image = read(gzip_packed(MAIN + b"junk"))
    assert image.kernel_view.message == FAILED + "junk within compressed archive"
    assert not image.complete


def test_member_that_is_no_archive() -> None:
    image = read(gzip_packed(b"hello" * 100))
    assert image.kernel_view.message == FAILED + "no cpio magic"
    assert image.kernel_view.accepted is Acceptance.REFUSED


def test_odc_archive() -> None:
    image = read(b"070707" + bytes(200))
    assert image.kernel_view.message == FAILED + "incorrect cpio method used: use -H newc option"
    assert image.kernel_view.accepted is Acceptance.REFUSED


def test_trailing_garbage_leaves_the_unpacked_tree() -> None:
    image = read(gzip_packed(MAIN) + b"garbage at the end")
    assert image.kernel_view.message == FAILED + "invalid magic at start of compressed archive"
    assert image.kernel_view.accepted is Acceptance.PARTLY
    assert len(effective_entries(image)) == 6
    assert [segment.codec for segment in image.segments] == [Codec.GZIP, Codec.UNKNOWN]
    assert not image.complete
    assert_covers_every_byte(image)


def test_bootconfig_is_taken_off_before_any_decoder_sees_it() -> None:
    for pack in PACKERS.values():
        packed = aligned(pack(MAIN))
        for end in (b"", b"\0\0\0"):
            image = read(with_bootconfig(packed) + end)
            assert image.kernel_view.accepted is Acceptance.WHOLE
            assert image.complete
            assert image.bootconfig_size_bytes == image.size_bytes - len(packed)


def test_bootconfig_with_a_wrong_sum_is_garbage() -> None:
    image = read(with_bootconfig(aligned(gzip_packed(MAIN))).replace(b"quiet", b"Quiet"))
    assert image.bootconfig_size_bytes == 0
    assert image.kernel_view.accepted is Acceptance.PARTLY


def test_bootconfig_that_straddles_two_reads() -> None:
    filler = file("filler", bytes(128 * 1024 - 1000))
    for shift in range(0, 400, 4):
        packed = archive(filler, file("more", bytes(100 + shift)), *small_tree())
        assert read(with_bootconfig(packed)).bootconfig_size_bytes > 0


def test_xz_with_crc64_is_read_here_and_refused_by_the_kernel() -> None:
    image = read(xz_packed(MAIN, lzma.CHECK_CRC64))
    assert image.complete
    assert image.proved
    assert image.kernel_view.accepted is Acceptance.REFUSED
    assert "not supported by this XZ decoder" in image.kernel_view.message
    assert len(effective_entries(image)) == 6


def test_xz_with_the_filter_of_another_architecture() -> None:
    filters = [{"id": lzma.FILTER_ARM}, {"id": lzma.FILTER_LZMA2}]
    image = read(lzma.compress(MAIN, check=lzma.CHECK_CRC32, filters=filters))
    assert image.kernel_view.accepted is Acceptance.REFUSED


def test_zstd_window_larger_than_the_kernel_allows() -> None:
    parameters = zstandard.ZstdCompressionParameters.from_level(1, window_log=28)
    packer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    image = read(packer.compress(MAIN) + packer.flush())
    assert image.kernel_view.message == FAILED + "ZSTD-compressed data has too large a window size"


def test_zstd_skippable_frame_hides_everything() -> None:
    image = read(b"\x50\x2a\x4d\x18\x04\0\0\0abcd" + zstd_packed(MAIN))
    assert image.kernel_view.accepted is Acceptance.REFUSED


def test_lz4_frame_of_today_is_named() -> None:
    image = read(bytes(cramjam.lz4.compress(MAIN)))
    assert image.kernel_view.accepted is Acceptance.REFUSED
    assert "lz4 -l" in image.problems[0]


@pytest.mark.parametrize("follower", [OVERRIDE, gzip_packed(OVERRIDE)])
def test_lz4_without_nuls_behind_it(follower: bytes) -> None:
    stored = lz4_packed(MAIN)
    image = read(stored + bytes(-len(stored) % 4) * 0 + follower)
    assert image.kernel_view.message == FAILED + "Decoding failed"
    assert len(unpacked(image)) == 6


def test_lz4_of_several_blocks_and_several_frames() -> None:
    image = read(lz4_packed(MAIN, 100) + lz4_packed(OVERRIDE))
    assert image.kernel_view.accepted is Acceptance.WHOLE
    assert len(image.entries) == 7


def test_lzo_is_recognised_but_not_judged() -> None:
    image = read(early_archive() + b"\x89LZO\0\r\n\x1a\n" + bytes(range(1, 200)))
    assert image.segments[1].codec is Codec.LZO
    assert image.kernel_view.accepted is Acceptance.UNKNOWN
    assert not image.complete


def test_uimage_wrapper_is_named() -> None:
    image = read(b"\x27\x05\x19\x56" + bytes(60) + gzip_packed(MAIN))
    assert image.kernel_view.accepted is Acceptance.REFUSED
    assert "uImage" in image.problems[0]


def test_gzip_with_wrong_checksum_is_damaged_but_the_kernel_does_not_look() -> None:
    stored = bytearray(gzip_packed(MAIN))
    stored[-6] ^= 1
    image = read(bytes(stored))
    assert not image.complete
    assert not image.proved
    assert image.kernel_view.accepted is Acceptance.WHOLE


@pytest.mark.parametrize("packer", [zstd_packed, xz_packed, PACKERS["bzip2"]])
def test_bit_rot_under_a_checksum_is_seen(packer: Callable[[bytes], bytes]) -> None:
    stored = bytearray(packer(MAIN))
    stored[len(stored) // 2] ^= 0x10
    image = read(bytes(stored))
    assert not image.complete
    assert image.kernel_view.message.startswith(FAILED)


def test_crc_archive_with_right_and_wrong_sums() -> None:
    good = CpioFile(name=b"a", body=b"abc", magic=b"070702")
    bad = CpioFile(name=b"b", body=b"abc", magic=b"070702", checksum=1)
    image = read(archive(good, bad, file("c")))
    assert image.kernel_view.message == FAILED + "bad data checksum"
    assert names(image) == [b"a", b"b", b"c"]
    assert unpacked(image) == [b"a", b"b"]
    assert not image.complete


def test_crc_archive_with_a_long_body() -> None:
    body = b"\xff" * 1000 + bytes(range(256)) * 700
    assert read(gzip_packed(archive(CpioFile(name=b"a", body=body, magic=b"070702")))).complete


def test_trailer_inside_file_data_is_data() -> None:
    image = read(archive(file("trap", archive(file("x"))), *small_tree()))
    assert len(image.entries) == 7
    assert image.complete


def test_trailer_with_a_body_is_skipped_over() -> None:
    stored = cpio_entry(CpioFile(name=b"TRAILER!!!", body=b"12345"))
    image = read(gzip_packed(archive(file("a"), trailer=False) + stored + archive(file("b"))))
    assert names(image) == [b"a", b"b"]
    assert image.complete


def test_name_too_long_is_skipped_and_the_rest_read() -> None:
    image = read(archive(CpioFile(name=b"n" * 4096, body=b"x"), file("rest")))
    assert names(image) == [b"rest"]
    assert len(image.problems) == 1
    assert image.kernel_view.message == ""


def test_name_without_end_stops_the_kernel() -> None:
    image = read(archive(CpioFile(name=b"abcd", name_end=b"", body=b"x"), file("rest")))
    assert image.kernel_view.message == FAILED + "malformed archive"


def test_name_padded_with_nuls_and_not_utf8() -> None:
    image = read(archive(CpioFile(name=b"\xff\xfe", name_end=bytes(40), body=b"x"), file("rest")))
    assert names(image) == [b"\xff\xfe", b"rest"]
    assert image.complete


def test_hex_digits_in_lower_case_and_as_strtoul_takes_them() -> None:
    stored = archive(file("a", b"x" * 0xAB))
    assert read(stored.replace(b"000000AB", b"000000ab")).complete
    assert read(stored.replace(b"000000AB", b"0x0000ab")).entries[0].size_bytes == 0xAB


def test_archive_without_trailer_is_fine_when_something_proves_its_end() -> None:
    bare = archive(*small_tree(), trailer=False)
    assert read(gzip_packed(bare)).complete
    assert read(bare + gzip_packed(OVERRIDE)).complete
    cut = read(bare)
    assert not cut.complete
    assert cut.kernel_view.accepted is Acceptance.WHOLE
    assert not read(lz4_packed(bare)).complete


def test_raw_archive_cut_in_a_body_is_not_noticed_by_the_kernel() -> None:
    image = read(MAIN[: MAIN.index(b"#!/bin/sh") + 3])
    assert image.kernel_view.message == ""
    assert image.kernel_view.accepted is Acceptance.PARTLY
    assert not image.complete


def test_size_larger_than_the_bytes_left() -> None:
    image = read(archive(CpioFile(name=b"big", body=b"x", body_size=0xFFFFFFFF)))
    assert not image.complete
    assert names(image) == [b"big"]


@pytest.mark.parametrize("stored", [b"", bytes(5000)])
def test_nothing_or_only_nuls(stored: bytes) -> None:
    image = read(stored)
    assert not image.complete
    assert not image.proved
    assert image.kernel_view.accepted is Acceptance.REFUSED
    assert image.problems


@pytest.mark.parametrize("codec", PACKERS)
def test_cut_anywhere_is_never_complete(codec: str) -> None:
    stored = PACKERS[codec](MAIN)
    for size in range(len(stored)):
        image = read(stored[:size])
        assert not image.complete, size
        assert not image.proved
        assert image.problems

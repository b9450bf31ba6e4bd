"""Images, sound and odd: what is read, what the kernel would unpack, what is proved."""

import hashlib
import io

import pytest

from bootrescue.formats import initramfs_reading, members
from bootrescue.formats.compression import Codec
from bootrescue.formats.initramfs import (
    Acceptance,
    Entry,
    SegmentRole,
    effective_entries,
    identify_generator,
    kernel_releases,
    looks_like_image,
    read_image,
)
from bootrescue.formats.stored_stream import StoredStream
from tests.image_builders import (
    PACKERS,
    aligned,
    archive,
    early_archive,
    file,
    gzip_packed,
    link,
    small_tree,
    xz_packed,
    zstd_packed,
)
from tests.image_reading import MAIN, OVERRIDE, assert_covers_every_byte, read


@pytest.mark.parametrize("codec", PACKERS)
def test_every_codec_is_read_to_its_end(codec: str) -> None:
    stored = PACKERS[codec](MAIN)
    image = read(stored)
    (segment,) = image.segments
    assert (segment.codec, segment.offset, segment.stored_size_bytes) == (Codec(codec), 0, len(stored))
    assert (segment.size_bytes, segment.entry_count, segment.role) == (len(MAIN), 6, SegmentRole.MAIN)
    assert image.complete
    assert not image.problems
    assert image.kernel_view.accepted is Acceptance.WHOLE
    assert image.proved == (codec in {"gzip", "bzip2", "xz", "zstd"})
    assert image.sha256 == hashlib.sha256(stored).hexdigest()
    assert image.size_bytes == len(stored)


@pytest.mark.parametrize("codec", PACKERS)
@pytest.mark.parametrize("padding", [0, 4, 512])
def test_early_cpio_padding_and_a_packed_main_segment(codec: str, padding: int) -> None:
    early = early_archive() + bytes(padding)
    image = read(early + PACKERS[codec](MAIN))
    assert [segment.role for segment in image.segments] == [SegmentRole.EARLY, SegmentRole.MAIN]
    assert image.segments[0].stored_size_bytes == image.segments[1].offset == len(early)
    assert image.complete
    assert image.kernel_view.accepted is Acceptance.WHOLE
    assert not image.proved, "no checksum covers the early archive"
    assert_covers_every_byte(image)


@pytest.mark.parametrize("codec", PACKERS)
def test_raw_archive_behind_every_codec_after_padding_and_four_nuls(codec: str) -> None:
    image = read(aligned(PACKERS[codec](MAIN)) + bytes(4) + OVERRIDE)
    assert image.kernel_view.accepted is Acceptance.WHOLE
    assert [segment.role for segment in image.segments] == [SegmentRole.OTHER, SegmentRole.MAIN]
    assert effective_entries(image)[b"init"].segment == 1


@pytest.mark.parametrize("nuls", [1, 3, 4095, 4096, 1 << 20])
def test_nuls_before_a_packed_member(nuls: int) -> None:
    image = read(bytes(nuls) + gzip_packed(MAIN))
    assert image.complete
    assert image.segments[0].offset == nuls
    assert image.kernel_view.accepted is Acceptance.WHOLE


def test_members_of_three_codecs_in_a_row_and_a_megabyte_of_nuls() -> None:
    stored = gzip_packed(MAIN) + zstd_packed(OVERRIDE) + xz_packed(OVERRIDE) + bytes(1 << 20)
    image = read(stored)
    assert [segment.codec for segment in image.segments] == [Codec.GZIP, Codec.ZSTD, Codec.XZ]
    assert image.segments[2].padding_size_bytes == 1 << 20
    assert image.proved
    assert_covers_every_byte(image)


def test_entries_beyond_the_limit_stop_the_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(initramfs_reading, "ENTRY_LIMIT", 3)
    stored = gzip_packed(MAIN)
    image = read(stored)
    assert not image.complete
    assert image.kernel_view.accepted is Acceptance.UNKNOWN
    assert image.sha256 == hashlib.sha256(stored).hexdigest(), "the digest covers what was not read"
    assert_covers_every_byte(image)


def test_thousands_of_empty_members_stop_the_reading() -> None:
    stored = gzip_packed(b"") * 5000
    image = read(stored)
    assert len(image.segments) == initramfs_reading.SEGMENT_LIMIT + 1
    assert "more than 4096 segments" in image.problems[-1]
    assert_covers_every_byte(image)


def test_a_bomb_stops_the_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(initramfs_reading, "RATIO_FREE_BYTES", 1 << 20)
    monkeypatch.setattr(initramfs_reading, "RATIO_LIMIT", 100)
    image = read(zstd_packed(archive(file("zeros", bytes(64 << 20)))))
    assert not image.complete
    assert image.segments[0].size_bytes < 4 << 20


def test_no_piece_is_larger_than_promised() -> None:
    source = StoredStream(io.BytesIO(zstd_packed(bytes(8 << 20))))
    pieces = members.DECODERS[Codec.ZSTD](source, members.Report())
    assert max(len(piece) for piece in pieces) <= members.OUTPUT_SIZE_BYTES


def test_visit_shows_what_is_wanted_and_whole() -> None:
    seen: list[tuple[bytes, bytes]] = []

    def wanted(entry: Entry) -> bool:
        return entry.name.endswith((b"init", b".dep", b"empty"))

    def visit(entry: Entry, body: bytes) -> None:
        seen.append((entry.name, body))

    stored = archive(*small_tree(), file("empty"), link("link", "init"))
    for pack in PACKERS.values():
        seen.clear()
        read_image(io.BytesIO(pack(stored)), wanted=wanted, visit=visit)
        assert [name.rpartition(b"/")[2] for name, _ in seen] == [b"modules.dep", b"init", b"empty"]
        assert [body for _, body in seen] == [b"kernel/virtio_blk.ko:\n", b"#!/bin/sh\n", b""]


def test_body_that_is_cut_is_not_shown() -> None:
    seen: list[bytes] = []
    stored = MAIN[: MAIN.index(b"#!/bin/sh") + 3]
    read_image(io.BytesIO(stored), visit=lambda entry, _: seen.append(entry.name))
    assert b"init" not in seen


def test_reads_that_come_back_short() -> None:
    class Trickle(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(size or 1, 7))

    stored = early_archive() + gzip_packed(MAIN)
    assert read_image(Trickle(stored)) == read(stored)


def test_without_digest() -> None:
    assert read_image(io.BytesIO(MAIN), digest=False).sha256 == ""


@pytest.mark.parametrize("codec", PACKERS)
@pytest.mark.parametrize("size", [2048, 4096, 65536])
def test_head_of_an_image_is_recognised(codec: str, size: int) -> None:
    noise = b"".join(hashlib.sha256(bytes((n & 255, n >> 8))).digest() for n in range(20000))
    stored = PACKERS[codec](archive(*small_tree(), file("noise", noise)))
    assert looks_like_image(stored[:size])
    assert looks_like_image(bytes(512) + stored[:size])


@pytest.mark.parametrize("codec", PACKERS)
def test_packed_text_is_no_image(codec: str) -> None:
    text = b"The quick brown fox jumps over the lazy dog. " * 100
    expected = codec == "bzip2"  # needs a whole block, which is not looked into
    assert looks_like_image(PACKERS[codec](text)) == expected


@pytest.mark.parametrize(
    "head", [b"", bytes(4096), b"\x1f", b"\x7fELF" + bytes(100), b"070707" + bytes(200), b"\x02\x21"]
)
def test_what_is_no_image(head: bytes) -> None:
    assert not looks_like_image(head)


@pytest.mark.parametrize(
    ("found", "texts", "name", "version"),
    [
        ({b"./usr/lib/dracut/dracut-059-4"}, {}, "dracut", "059-4"),
        (
            {b"lib/dracut/hooks"},
            {b"etc/initrd-release": b'VERSION="7 (Core) dracut-033-554.el7"\n'},
            "dracut",
            "033-554.el7",
        ),
        ({b"conf/initramfs.conf", b"init"}, {}, "initramfs-tools", ""),
        ({b"VERSION", b"init_functions", b"buildconfig"}, {b"VERSION": b"39.2\n"}, "mkinitcpio", "39.2"),
        ({b"etc/booster.init.yaml"}, {}, "booster", ""),
        ({b"init"}, {b"usr/lib/initrd-release": b"IMAGE_ID=initrd\n"}, "mkosi", ""),
        ({b"init"}, {}, "unknown", ""),
    ],
)
def test_generators(found: set[bytes], texts: dict[bytes, bytes], name: str, version: str) -> None:
    generator = identify_generator(found, texts)
    assert (generator.name, generator.version) == (name, version)


def test_kernel_releases_come_from_directories_only() -> None:
    found = [
        b"usr/lib/modules/6.1/kernel",
        b"/lib/modules/5.10/modules.dep",
        b"usr/lib/modules/virtio.ko",
        b"lib/modules",
    ]
    assert kernel_releases(found) == ("5.10", "6.1")

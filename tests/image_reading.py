"""What tests ask of an image once it is read."""

import io

from bootrescue.formats.initramfs import Image, read_image
from tests.image_builders import archive, file, small_tree

FAILED = "Initramfs unpacking failed: "
MAIN = archive(*small_tree())
OVERRIDE = archive(file("init", b"new", 0o755))


def read(image: bytes) -> Image:
    return read_image(io.BytesIO(image))


def names(image: Image) -> list[bytes]:
    return [entry.name for entry in image.entries]


def unpacked(image: Image) -> list[bytes]:
    return [entry.name for entry in image.entries if entry.unpacked]


def assert_covers_every_byte(image: Image) -> None:
    ends = [segment.offset + segment.stored_size_bytes for segment in image.segments]
    assert [segment.offset for segment in image.segments[1:]] == ends[:-1]
    assert ends[-1] == image.size_bytes - image.bootconfig_size_bytes

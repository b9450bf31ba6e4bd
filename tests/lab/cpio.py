"""Takes initramfs images apart and puts them together again with cpio and the compressor programs."""

from dataclasses import dataclass
from pathlib import Path

from tests.lab.commands import LabError, run

MAGIC = b"070701"
HEADER_SIZE_BYTES = 110
TRAILER = b"TRAILER!!!"

# In the manner of initramfs-tools 0.142 (mkinitramfs), dracut 059 and kmod.
COMPRESSORS = {
    "gzip": ("gzip", "--no-name", "-6", "--stdout"),
    "zstd": ("zstd", "--quiet", "-9", "--stdout"),
    "xz": ("xz", "--check=crc32", "--lzma2=dict=1MiB", "--stdout"),
}
MAGICS = {"gzip": b"\x1f\x8b", "zstd": b"\x28\xb5\x2f\xfd", "xz": b"\xfd7zXZ\x00"}
EXTENSIONS = {".xz": "xz", ".gz": "gzip", ".zst": "zstd"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitImage:
    """An image as a generator lays it out: plain archives with their padding, then one compressed archive."""

    plain: tuple[bytes, ...]
    codec: str
    archive: bytes


def split(image: bytes) -> SplitImage:
    """Cut an image into its plain archives and the decompressed main archive."""
    plain: list[bytes] = []
    offset = 0
    while image.startswith(MAGIC, offset):
        end = _padding_end(image, _archive_end(image, offset))
        plain.append(image[offset:end])
        offset = end
    packed = image[offset:]
    codec = next((name for name, magic in MAGICS.items() if packed.startswith(magic)), None)
    if codec is None:
        raise LabError(f"the image's main archive starts with {packed[:6].hex()}: no codec the lab writes")
    return SplitImage(plain=tuple(plain), codec=codec, archive=decompress(codec, packed))


def join(image: SplitImage) -> bytes:
    """Put a split image together in its generator's layout."""
    return b"".join(image.plain) + compress(image.codec, image.archive)


def compress(codec: str, content: bytes) -> bytes:
    """Compress as the generators do."""
    return run(*COMPRESSORS[codec], stdin=content)


def decompress(codec: str, content: bytes) -> bytes:
    """Decompress with the codec's own program."""
    return run(COMPRESSORS[codec][0], "--decompress", "--stdout", stdin=content)


def unpack(archive: bytes, directory: Path) -> None:
    """Unpack one archive into a directory of its own."""
    directory.mkdir(parents=True)
    run(
        "cpio", "--extract", "--make-directories", "--preserve-modification-time", "--quiet",
        stdin=archive, directory=directory,
    )  # fmt: skip


def pack(directory: Path) -> bytes:
    """Pack a directory into one archive, sorted and owned by root, padded to 512 bytes by cpio itself."""
    names = [b".", *sorted(bytes(path.relative_to(directory)) for path in directory.rglob("*"))]
    return run(
        "cpio", "--create", "--format=newc", "--null", "--owner=0:0", "--quiet",
        stdin=b"".join(name + b"\0" for name in names), directory=directory,
    )  # fmt: skip


def _archive_end(image: bytes, offset: int) -> int:
    """Walk an archive's headers to the end of its trailer."""
    while image.startswith(MAGIC, offset):
        size = int(image[offset + 54 : offset + 62], 16)
        name_size = int(image[offset + 94 : offset + 102], 16)
        name = image[offset + HEADER_SIZE_BYTES : offset + HEADER_SIZE_BYTES + name_size - 1]
        offset += HEADER_SIZE_BYTES + name_size
        offset += -offset % 4
        offset += size
        offset += -offset % 4
        if name == TRAILER:
            return offset
    raise LabError("an archive of the image ends without its trailer")


def _padding_end(image: bytes, offset: int) -> int:
    while image[offset : offset + 1] == b"\0":
        offset += 1
    return offset

"""initramfs images: splits them into segments, lists what is in them, and foretells what the kernel makes of them.

Source of the grammar and of the verdicts: init/initramfs.c and lib/decompress_*.c, Linux 6.12, each rule booted. Three
answers are kept apart: what can be read, what the kernel would unpack, and whether checksums prove every byte.
"""

import io
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from bootrescue.formats.compression import Codec, identify_codec
from bootrescue.formats.cpio import Entry, has_magic
from bootrescue.formats.initramfs_model import Acceptance, Image, KernelView, Segment, SegmentRole
from bootrescue.formats.initramfs_reading import Reading
from bootrescue.formats.initramfs_tree import dropped_entries, effective_entries, normalised
from bootrescue.formats.members import DECODERS, DamagedMemberError, Decoder, Report
from bootrescue.formats.stored_stream import Digest, StoredStream

TYPE_CHECKING = False  # typing itself would cost a tenth of the start-up time
if TYPE_CHECKING:
    from typing import BinaryIO

__all__ = [
    "IDENTIFYING_FILES", "Acceptance", "Codec", "Entry", "Generator", "Image", "KernelView", "Segment", "SegmentRole",
    "dropped_entries", "effective_entries", "identify_generator", "kernel_releases", "looks_like_image", "normalised",
    "read_image",
]  # fmt: skip

IDENTIFYING_FILES = frozenset({b"VERSION", b"etc/initrd-release", b"usr/lib/initrd-release"})
"""Files whose text identify_generator() looks at, without leading "/" or "./"."""

_BZIP2_BLOCK = bytes.fromhex("314159265359")
"""Magic of a bzip2 block, the digits of pi; a whole block is needed before anything can be unpacked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Generator:
    """Who made an image.

    Attributes:
        name: dracut, initramfs-tools, mkinitcpio, booster, mkosi or unknown.
        version: as the image tells it; empty where it does not.
    """

    name: str
    version: str


def read_image(
    stream: "BinaryIO",
    *,
    wanted: Callable[[Entry], bool] | None = None,
    visit: Callable[[Entry, bytes], None] | None = None,
    digest: bool = True,
) -> Image:
    """Read an image once from front to back.

    Args:
        stream: the image; it need not be seekable.
        wanted: chooses the regular files whose bodies are shown; without it, all of them.
        visit: is shown each chosen file and its body, when the body is there as a whole.
        digest: whether to compute the image's SHA-256.

    A damaged image is no error: its problems are told. Only what the stream itself raises is passed on.
    """
    hasher = Digest() if digest else None
    try:
        reading = Reading(StoredStream(stream, digest=hasher), wanted, visit)
        reading.run()
    finally:
        sha256 = hasher.hexdigest() if hasher is not None else ""
    return reading.result(sha256)


def looks_like_image(head: bytes) -> bool:
    """Tell whether these first bytes (a few KiB or more) can be an initramfs image.

    NULs may come first. Where the codec gives nothing before a whole block is there, the answer is yes.
    """
    member = head.lstrip(b"\0")
    codec = identify_codec(member)
    if codec is Codec.NONE:
        return has_magic(member)
    if codec is Codec.LZ4:
        return _first_lz4_literals(member).startswith(b"07070")
    if codec is Codec.BZIP2:
        return member[2:3] == b"h" and member[4:10] == _BZIP2_BLOCK
    if codec is Codec.LZO:
        return member.startswith(b"\x89LZO")
    decode = DECODERS.get(codec)
    if decode is None:
        return False
    return _unpacks_to_header(StoredStream(io.BytesIO(member)), decode)


def _unpacks_to_header(source: StoredStream, decode: Decoder) -> bool:
    try:
        first = next(iter(decode(source, Report())), b"")
    except DamagedMemberError:
        return source.at_end  # cut before the first block was whole, so nothing speaks against it
    return has_magic(bytes(first[:6]))


def _first_lz4_literals(member: bytes) -> bytes:
    """Return what an lz4 block begins with: literals, after a token and the rest of their length."""
    token_at = 8  # behind the magic and the length of the block
    if len(member) <= token_at:
        return b""
    start = token_at + 1
    if member[token_at] >> 4 == 15:  # noqa: PLR2004  (the length goes on in further bytes, each 255 but the last)
        while member[start : start + 1] == b"\xff":
            start += 1
        start += 1
    return member[start : start + 6]


def identify_generator(names: Collection[bytes], texts: Mapping[bytes, bytes]) -> Generator:
    """Tell who made an image, from the names in it and the texts of IDENTIFYING_FILES (keys without "/" or "./")."""
    known = {normalised(name) for name in names}
    release = texts.get(b"etc/initrd-release", b"") or texts.get(b"usr/lib/initrd-release", b"")
    dracut = _dracut_version(known, release)
    if dracut is not None:
        return Generator(name="dracut", version=dracut)
    if b"etc/booster.init.yaml" in known:
        return Generator(name="booster", version="")
    if b"init_functions" in known and b"buildconfig" in known:
        return Generator(name="mkinitcpio", version=texts.get(b"VERSION", b"").decode("ascii", "replace").strip())
    if b"conf/initramfs.conf" in known or (b"conf/arch.conf" in known and b"scripts/functions" in known):
        return Generator(name="initramfs-tools", version="")
    if b"IMAGE_ID=" in release or b"mkosi" in release:
        return Generator(name="mkosi", version="")
    return Generator(name="unknown", version="")


def _dracut_version(known: Iterable[bytes], release: bytes) -> str | None:
    """Return the version in the name of the file that dracut leaves behind, else in initrd-release; None without it."""
    is_dracut = False
    for name in known:
        folder, _, rest = name.removeprefix(b"usr/").partition(b"lib/dracut/")
        if rest and not folder:
            is_dracut = True
            if rest.startswith(b"dracut-") and b"/" not in rest:
                return rest[7:].decode("ascii", "replace")
    if not is_dracut:
        return None
    return release.partition(b"dracut-")[2].partition(b'"')[0].split(b"\n")[0].decode("ascii", "replace")


def kernel_releases(names: Iterable[bytes]) -> tuple[str, ...]:
    """Return the releases that have something in (usr/)lib/modules/<release>/, sorted."""
    releases = set()
    for name in names:
        parts = normalised(name).split(b"/", 5)
        if parts[0] == b"usr":
            del parts[0]
        if len(parts) > 3 and parts[0] == b"lib" and parts[1] == b"modules":  # noqa: PLR2004  (lib modules release file)
            releases.add(parts[2].decode("utf-8", "backslashreplace"))
    return tuple(sorted(releases))

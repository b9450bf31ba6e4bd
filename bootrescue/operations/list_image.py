"""image list: what the kernel would unpack from an image, in the order it stands there.

This is the fast way: it imports nothing that a listing does not need.
"""

from dataclasses import dataclass

from bootrescue.errors import BadInputError
from bootrescue.formats.cpio import Entry
from bootrescue.formats.initramfs import read_image


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The entries of an image; `problem` says why it is not complete."""

    entries: tuple[Entry, ...]
    complete: bool
    problem: str


def list_image(name: str) -> Listing:
    """List an image file of this machine.

    Raises:
        BadInputError: it cannot be read.
    """
    try:
        with open(name, "rb") as stream:  # noqa: PTH123 -- pathlib would cost as much as the listing
            image = read_image(stream, wanted=_nothing, digest=False)
    except OSError as error:
        raise BadInputError(f"cannot be read: {error.strerror}", where=name) from error
    problem = "; ".join(image.problems) or image.kernel_view.message
    return Listing(entries=image.entries, complete=image.complete, problem=problem)


def _nothing(_entry: Entry) -> bool:
    return False


def render_list(listing: Listing) -> str:
    """A name a line; names with odd bytes are escaped."""
    return "".join(f"{shown(entry.name)}\n" for entry in listing.entries)


def shown(name: bytes) -> str:
    """A name out of an archive as text that a terminal can take."""
    text = name.decode(errors="backslashreplace")
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)


def render_list_json(listing: Listing, name: str) -> bytes:
    """The one document of `image list`; an image that is not complete is an error in it."""
    import json  # noqa: PLC0415 -- not for a listing as text

    entries = [
        {
            "name": shown(entry.name),
            "mode": f"{entry.mode:06o}",
            "size_bytes": entry.size_bytes,
            "segment": entry.segment,
        }
        for entry in listing.entries
    ]
    document = {
        "schema": "bootrescue/1",
        "command": "image list",
        "ok": listing.complete,
        "result": {"entries": entries, "complete": listing.complete},
        "errors": [] if listing.complete else [_error(listing, name)],
    }
    return json.dumps(document, indent=2).encode() + b"\n"


def _error(listing: Listing, name: str) -> dict[str, str | int]:
    what = f"the image is not complete: {listing.problem}"
    return {"what": what, "where": name, "hint": "", "exit_code": int(BadInputError.exit_code)}

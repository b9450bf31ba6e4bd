"""bootrescue image examine|list. What the fast way (list) does not need is imported where it is used."""

import argparse
import sys

from bootrescue.cli.arguments import Parser, parser
from bootrescue.errors import BadInputError, ExitCode


def make_parser() -> Parser:
    """The command's options."""
    made = parser(
        "image",
        "Look into an initramfs image. Needs no root, writes nothing.",
        example="bootrescue image list /boot/initrd.img",
    )
    made.add_argument("action", choices=["examine", "list"])
    made.add_argument("file", metavar="FILE")
    return made


def run(args: argparse.Namespace) -> ExitCode:
    """Carry it out; an image that is not complete gives exit code 8."""
    return _list(args) if args.action == "list" else _examine(args)


def _examine(args: argparse.Namespace) -> ExitCode:
    from bootrescue.cli.output import show  # noqa: PLC0415 -- see above
    from bootrescue.operations.examine import examine  # noqa: PLC0415 -- see above

    document = examine(args.file)
    show(args, "image examine", document, ok=document.complete)
    return ExitCode.DONE if document.complete else ExitCode.BAD_INPUT


def _list(args: argparse.Namespace) -> ExitCode:
    from bootrescue.operations.list_image import list_image, render_list, render_list_json  # noqa: PLC0415 -- see above

    listing = list_image(args.file)
    if args.json:
        sys.stdout.buffer.write(render_list_json(listing, args.file))
        return ExitCode.DONE if listing.complete else ExitCode.BAD_INPUT
    sys.stdout.write(render_list(listing))
    if not listing.complete:
        raise BadInputError(f"the image is not complete: {listing.problem}", where=args.file)
    return ExitCode.DONE

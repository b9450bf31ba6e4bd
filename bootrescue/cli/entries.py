"""bootrescue entries list|show."""

import argparse
from pathlib import Path

from bootrescue.cli.arguments import Parser, add_target, parser, target_of
from bootrescue.cli.diagnostics import clear_progress, progress
from bootrescue.cli.output import show
from bootrescue.errors import BadInputError, ExitCode, UsageError
from bootrescue.host.host import open_host
from bootrescue.operations.entries import list_entries, list_entries_of_file, show_entry
from bootrescue.report.model import EntriesDocument

# The largest real grub.cfg seen has 150 kB; what the parser takes in a second is far more
LIMIT_BYTES = 16 << 20


def make_parser() -> Parser:
    """The command's options."""
    made = parser(
        "entries",
        "List boot entries, or show one, of a target or of a grub.cfg by itself. Writes nothing.",
        example="bootrescue entries list --file /boot/grub/grub.cfg",
    )
    made.add_argument("action", choices=["list", "show"])
    made.add_argument("id", nargs="?", default="", metavar="ID", help="for show: an entry's id or title")
    made.add_argument("--file", default="", metavar="FILE", help="a grub.cfg by itself (needs no target and no root)")
    add_target(made)
    return made


def run(args: argparse.Namespace) -> ExitCode:
    """Carry it out."""
    if args.action == "show" and not args.id:
        raise UsageError("entries show wants the id or title of an entry", hint="bootrescue entries list shows them")
    document = _of_file(args.file) if args.file else _of_target(args)
    if args.action == "show":
        document = show_entry(document, args.id)
    show(args, f"entries {args.action}", document)
    return ExitCode.DONE


def _of_file(name: str) -> EntriesDocument:
    try:
        with Path(name).open("rb") as stream:
            content = stream.read(LIMIT_BYTES + 1)
    except OSError as error:
        raise BadInputError(f"cannot be read: {error.strerror}", where=name) from error
    if len(content) > LIMIT_BYTES:
        raise BadInputError("is too large to be a grub.cfg", where=name)
    return list_entries_of_file(content, name)


def _of_target(args: argparse.Namespace) -> EntriesDocument:
    with open_host(progress(args)) as host:
        document = list_entries(host, target_of(args))
        clear_progress()
    return document

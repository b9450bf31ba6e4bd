"""bootrescue undo."""

import argparse

from bootrescue.cli.arguments import Parser, add_target, parser, target_of
from bootrescue.cli.confirmation import confirm
from bootrescue.cli.diagnostics import progress
from bootrescue.cli.repairs import answer
from bootrescue.errors import ExitCode
from bootrescue.host.host import open_host
from bootrescue.operations.undo import undo


def make_parser() -> Parser:
    """The command's options."""
    made = parser(
        "undo",
        "Put back the bytes from before a transaction.",
        example="bootrescue undo --disk /dev/sda --yes",
    )
    made.add_argument(
        "id", metavar="ID", nargs="?", default="", help="which one (default: the last that is not undone)"
    )
    add_target(made)
    return made


def run(args: argparse.Namespace) -> ExitCode:
    """Carry it out."""
    confirm(args, (), f"This undoes {args.id or 'the last transaction'}.")
    with open_host(progress(args)) as host:
        done = undo(host, target_of(args), args.id)
    return answer(args, "undo", done.document, done.console, proved=done.proved)

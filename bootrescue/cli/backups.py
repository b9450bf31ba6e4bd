"""bootrescue backups."""

import argparse

from bootrescue.cli.arguments import Parser, add_target, parser, target_of
from bootrescue.cli.diagnostics import clear_progress, progress
from bootrescue.cli.output import show
from bootrescue.errors import ExitCode
from bootrescue.host.host import open_host
from bootrescue.operations.backups import backups


def make_parser() -> Parser:
    """The command's options."""
    made = parser(
        "backups",
        "Find initramfs images by content and say which fits. Writes nothing.",
        example="bootrescue backups --disk /dev/sda",
    )
    add_target(made)
    made.add_argument("--entry", default="", metavar="ID", help="judge for this boot entry (default: the default one)")
    return made


def run(args: argparse.Namespace) -> ExitCode:
    """Carry it out."""
    with open_host(progress(args)) as host:
        document = backups(host, target_of(args), args.entry)
        clear_progress()
    show(args, "backups", document)
    return ExitCode.DONE

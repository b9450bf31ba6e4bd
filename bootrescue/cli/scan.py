"""bootrescue scan."""

import argparse

from bootrescue.cli.arguments import Parser, add_target, parser, target_of
from bootrescue.cli.diagnostics import clear_progress, progress
from bootrescue.cli.output import show
from bootrescue.errors import ExitCode
from bootrescue.host.host import open_host
from bootrescue.operations.scan import scan


def make_parser() -> Parser:
    """The command's options."""
    made = parser(
        "scan",
        "List disks, file systems, installed systems and boot entries. Writes nothing.",
        example="bootrescue scan --json",
    )
    add_target(made)
    return made


def run(args: argparse.Namespace) -> ExitCode:
    """Carry it out."""
    with open_host(progress(args)) as host:
        document = scan(host, target_of(args).source)
        clear_progress()
    show(args, "scan", document)
    return ExitCode.DONE

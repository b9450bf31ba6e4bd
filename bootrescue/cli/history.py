"""bootrescue history."""

import argparse

from bootrescue.cli.arguments import Parser, add_target, parser, target_of
from bootrescue.cli.diagnostics import clear_progress, progress
from bootrescue.cli.output import show
from bootrescue.errors import ExitCode
from bootrescue.host.host import open_host
from bootrescue.operations.history import history


def make_parser() -> Parser:
    """The command's options."""
    made = parser(
        "history",
        "List the transactions whose journals lie on the target. Writes nothing.",
        example="bootrescue history --disk /dev/sda",
    )
    add_target(made)
    return made


def run(args: argparse.Namespace) -> ExitCode:
    """Carry it out."""
    with open_host(progress(args)) as host:
        document = history(host, target_of(args))
        clear_progress()
    show(args, "history", document)
    return ExitCode.DONE

"""bootrescue diagnose."""

import argparse

from bootrescue.cli.arguments import Parser, add_target, parser, target_of
from bootrescue.cli.diagnostics import clear_progress, progress
from bootrescue.cli.output import show
from bootrescue.errors import ExitCode
from bootrescue.host.host import open_host
from bootrescue.operations.diagnose import diagnose


def make_parser() -> Parser:
    """The command's options."""
    made = parser(
        "diagnose",
        "Say which boot entry boots and which does not, and why. Writes nothing.",
        example="bootrescue diagnose --image disk.img",
    )
    add_target(made)
    return made


def run(args: argparse.Namespace) -> ExitCode:
    """Carry it out."""
    with open_host(progress(args)) as host:
        found = diagnose(host, target_of(args))
        clear_progress()
    show(args, "diagnose", found.document, ok=found.fine)
    return ExitCode.DONE if found.fine else ExitCode.WRONG

"""bootrescue schema."""

import argparse
import sys

from bootrescue.cli.arguments import Parser, parser
from bootrescue.errors import ExitCode
from bootrescue.report.schema import DOCUMENTS, render_schema


def make_parser() -> Parser:
    """The command's options."""
    made = parser(
        "schema",
        "Print the JSON Schema of a command's answer, as standard JSON.",
        example="bootrescue schema diagnose",
    )
    made.add_argument(
        "command", nargs="?", default="", choices=["", *sorted(DOCUMENTS)], help="whose answer (default: each)"
    )
    return made


def run(args: argparse.Namespace) -> ExitCode:
    """Carry it out."""
    sys.stdout.buffer.write(render_schema(args.command))
    return ExitCode.DONE

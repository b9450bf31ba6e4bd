"""What apply, rollback, undo and verify share: the console file and the answer."""

import argparse
from pathlib import Path

from bootrescue.cli.arguments import Parser
from bootrescue.cli.diagnostics import clear_progress, say
from bootrescue.cli.output import show
from bootrescue.errors import ExitCode, MachineLacksError
from bootrescue.host.durable import write_here
from bootrescue.report.model import RepairDocument


def add_proof(made: Parser) -> None:
    """The options of a boot proof."""
    made.add_argument("--prove", action="store_true", help="boot the result in QEMU on an overlay")
    made.add_argument("--console", default="", metavar="FILE", help="keep the virtual machine's console there")


def answer(
    args: argparse.Namespace, command: str, document: RepairDocument, console: bytes, *, proved: bool
) -> ExitCode:
    """Keep the console, print the answer, and give the exit code that tells the truth.

    Raises:
        MachineLacksError: the console file cannot be written.
    """
    clear_progress()
    if getattr(args, "console", "") and console:
        try:
            write_here(Path(args.console), console)
        except OSError as error:
            raise MachineLacksError(f"cannot be written: {error.strerror}", where=args.console) from error
    show(args, command, document, ok=proved)
    if not proved:
        say("not everything that was asked for is proved")
    return ExitCode.DONE if proved else ExitCode.WRONG

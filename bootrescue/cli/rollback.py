"""bootrescue rollback."""

import argparse

from bootrescue.cli.arguments import Parser, add_target, add_wish, parser, target_of, wish_of
from bootrescue.cli.confirmation import confirm
from bootrescue.cli.diagnostics import progress
from bootrescue.cli.repairs import add_proof, answer
from bootrescue.errors import ExitCode
from bootrescue.host.host import open_host
from bootrescue.operations.plan import Planned
from bootrescue.operations.rollback import rollback


def make_parser() -> Parser:
    """The command's options."""
    made = parser(
        "rollback",
        "Diagnose, plan, apply and verify in one go, for a bad driver injection.",
        example="bootrescue rollback --disk /dev/sda --prove",
    )
    add_target(made)
    add_wish(made)
    add_proof(made)
    return made


def run(args: argparse.Namespace) -> ExitCode:
    """Carry it out."""

    def ask(planned: Planned) -> None:
        confirm(args, planned.preview, f"This changes {planned.machine}.")

    with open_host(progress(args)) as host:
        done = rollback(host, target_of(args), wish_of(args), ask, boot=args.prove)
    return answer(args, "rollback", done.document, done.console, proved=done.proved)

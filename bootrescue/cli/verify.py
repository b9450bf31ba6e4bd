"""bootrescue verify."""

import argparse

from bootrescue.cli.arguments import Parser, add_target, parser, target_of
from bootrescue.cli.diagnostics import progress
from bootrescue.cli.repairs import add_proof, answer
from bootrescue.errors import ExitCode
from bootrescue.host.host import open_host
from bootrescue.operations.verify import verify
from bootrescue.report.model import RepairDocument
from bootrescue.report.repairing import verification_document


def make_parser() -> Parser:
    """The command's options."""
    made = parser(
        "verify",
        "Prove what the next boot would do. Writes nothing to the target.",
        example="bootrescue verify --disk /dev/sda --prove",
    )
    add_target(made)
    add_proof(made)
    return made


def run(args: argparse.Namespace) -> ExitCode:
    """Carry it out."""
    with open_host(progress(args)) as host:
        verification, console = verify(host, target_of(args), boot=args.prove)
    document = RepairDocument(verification=verification_document(verification))
    return answer(args, "verify", document, console, proved=not verification.unproved(boot=args.prove))

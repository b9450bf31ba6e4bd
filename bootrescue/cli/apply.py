"""bootrescue apply."""

import argparse
from pathlib import Path

from bootrescue.cli.arguments import Parser, add_target, parser, target_of
from bootrescue.cli.confirmation import confirm
from bootrescue.cli.diagnostics import progress
from bootrescue.cli.repairs import add_proof, answer
from bootrescue.errors import BadInputError, ExitCode
from bootrescue.host.host import open_host
from bootrescue.operations.apply import apply
from bootrescue.plan.model import kind_of
from bootrescue.plan.plan_file import LIMIT_BYTES, parse_plan


def make_parser() -> Parser:
    """The command's options."""
    made = parser(
        "apply",
        "Carry a plan out: check, keep, replace, recheck; commit or take back.",
        example="bootrescue apply plan.toml --prove",
    )
    made.add_argument("plan", metavar="PLAN", help="a plan file, as bootrescue plan -o writes it")
    add_target(made)
    add_proof(made)
    return made


def run(args: argparse.Namespace) -> ExitCode:
    """Carry it out."""
    try:
        with Path(args.plan).open("rb") as stream:
            content = stream.read(LIMIT_BYTES + 1)
    except OSError as error:
        raise BadInputError(f"cannot be read: {error.strerror}", where=args.plan) from error
    plan = parse_plan(content, where=args.plan)
    lines = tuple(f"{kind_of(step)} {step.path}" for step in plan.steps)
    confirm(args, lines, f"Plan {plan.id} for {plan.system}.")
    with open_host(progress(args)) as host:
        done = apply(host, target_of(args), plan, boot=args.prove)
    return answer(args, "apply", done.document, done.console, proved=done.proved)

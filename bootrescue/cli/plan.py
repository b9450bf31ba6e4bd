"""bootrescue plan."""

import argparse
from pathlib import Path

from bootrescue.cli.arguments import Parser, add_target, add_wish, parser, target_of, wish_of
from bootrescue.cli.diagnostics import clear_progress, progress, say
from bootrescue.cli.output import show
from bootrescue.errors import ExitCode, MachineLacksError
from bootrescue.host.durable import write_here
from bootrescue.host.host import open_host
from bootrescue.operations.plan import plan
from bootrescue.plan.plan_file import render_plan


def make_parser() -> Parser:
    """The command's options."""
    made = parser(
        "plan",
        "Say what would be done, and write it down with -o. Writes nothing to the target.",
        example="bootrescue plan --disk /dev/sda -o plan.toml",
    )
    add_target(made)
    add_wish(made)
    made.add_argument("-o", "--output", default="", metavar="FILE", help="write the plan there, for bootrescue apply")
    return made


def run(args: argparse.Namespace) -> ExitCode:
    """Carry it out."""
    with open_host(progress(args)) as host:
        planned = plan(host, target_of(args), wish_of(args))
        clear_progress()
    if args.output:
        try:
            write_here(Path(args.output), render_plan(planned.plan))
        except OSError as error:
            raise MachineLacksError(f"cannot be written: {error.strerror}", where=args.output) from error
        say(f"plan {planned.plan.id} is in {args.output}; carry it out with: bootrescue apply {args.output}")
    show(args, "plan", planned.document())
    return ExitCode.DONE

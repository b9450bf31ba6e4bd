"""Options that several commands share, and what they mean."""

import argparse

from bootrescue.errors import UsageError

TYPE_CHECKING = False  # typing would cost the fast way more than it gives
if TYPE_CHECKING:
    from typing import NoReturn

    from bootrescue.operations.targets import TargetChoice
    from bootrescue.plan.model import Wish


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line and a hint."""

    def error(self, message: str) -> "NoReturn":
        """Say what is wrong and where help is.

        Raises:
            UsageError: always.
        """
        raise UsageError(message, hint=f"{self.prog} --help")


def parser(command: str, description: str, *, example: str) -> Parser:
    """A parser for one command with the options that every command has; `example` is a command line for its help."""
    made = Parser(
        prog=f"bootrescue {command}", description=description, allow_abbrev=False, epilog=f"example: {example}"
    )
    add_everywhere(made)
    return made


def add_everywhere(made: argparse.ArgumentParser) -> None:
    """The options that every command has."""
    made.add_argument("--json", action="store_true", help="print one JSON document on standard output")
    made.add_argument("--yes", action="store_true", help="do not ask before writing")
    made.add_argument("--debug", action="store_true", help="show a traceback when something fails")
    made.add_argument("--quiet", action="store_true", help="no progress on standard error")
    made.add_argument("--no-color", action="store_true", help="plain text (there is no colour yet)")


def add_target(made: argparse.ArgumentParser) -> None:
    """Which machine to look at."""
    group = made.add_argument_group("target (default: every disk that this machine does not run from)")
    group.add_argument("--disk", action="append", default=[], metavar="DEVICE", help="a disk; may be repeated")
    group.add_argument("--image", action="append", default=[], metavar="FILE", help="a raw disk image; may be repeated")
    group.add_argument(
        "--root", default="", metavar="DIR", help="a mounted system or a plain directory (no root needed)"
    )
    group.add_argument("--system", default="", metavar="ID", help="which system, when there are several")


def add_wish(made: argparse.ArgumentParser) -> None:
    """What to do."""
    group = made.add_argument_group("wish (default: what is right for the entry that boots by default)")
    group.add_argument("--entry", default="", metavar="ID", help="the boot entry to mend")
    group.add_argument("--to", default="", metavar="CANDIDATE", help="the backup to use, by path or SHA-256")
    group.add_argument(
        "--remedy", default="", choices=["point-entry", "restore-image", "restore-module"], help="what to do"
    )


def target_of(args: argparse.Namespace) -> "TargetChoice":
    """The target that the options name.

    Raises:
        UsageError: --root and disks at once.
    """
    from bootrescue.devices.model import Source  # noqa: PLC0415 -- not needed by `image`
    from bootrescue.operations.targets import TargetChoice  # noqa: PLC0415 -- as above

    if args.root and (args.disk or args.image):
        raise UsageError("--root excludes --disk and --image", hint="give one or the other")
    source = Source(images=tuple(args.image), disks=tuple(args.disk), root=args.root)
    return TargetChoice(source=source, system=args.system)


def wish_of(args: argparse.Namespace) -> "Wish":
    """The wish that the options name."""
    from bootrescue.plan.model import Remedy, Wish  # noqa: PLC0415 -- not needed by `image`

    return Wish(entry=args.entry, to=args.to, remedy=Remedy(args.remedy) if args.remedy else None)

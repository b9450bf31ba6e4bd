"""Find the command, import it alone, and turn errors into messages and exit codes."""

import sys
from importlib import import_module

from bootrescue.errors import ExitCode, UsageError

TYPE_CHECKING = False  # typing would cost the fast way more than it gives
if TYPE_CHECKING:
    from types import ModuleType

# A module is imported when its command is called: `image list` of a small image must not wait for the rest.
COMMANDS = {
    "scan": "devices, file systems, installed systems, boot entries",
    "backups": "candidate initramfs images, ranked, with their fit",
    "diagnose": "a verdict for each boot entry, findings with evidence",
    "plan": "what would be done, with a preview; -o FILE writes a plan",
    "apply": "carry a plan out, recheck, commit or take back",
    "rollback": "diagnose, plan, apply and verify in one go",
    "verify": "recheck, GRUB's view; with --prove a boot in QEMU",
    "history": "transactions found on the target",
    "undo": "back to the bytes before a transaction",
    "entries": "list or show boot entries",
    "image": "examine or list an initramfs image (needs no root)",
    "schema": "the JSON Schema of a command's answer",
}
USAGE = "usage: bootrescue COMMAND [OPTIONS]   (bootrescue COMMAND --help tells more)"


def run() -> None:
    """The console script: ends the process with a documented exit code."""
    sys.exit(main(sys.argv[1:]))


def main(argv: list[str]) -> int:
    """Carry one command out; gives its exit code."""
    if not argv or argv[0] in {"-h", "--help", "help"}:
        sys.stdout.write(help_text())
        return ExitCode.DONE
    if argv[0] == "--version":
        from bootrescue import __version__  # noqa: PLC0415 -- only here

        sys.stdout.write(f"bootrescue {__version__}\n")
        return ExitCode.DONE
    from bootrescue.cli.diagnostics import guarded  # noqa: PLC0415 -- after the cheap answers

    return guarded(argv[0], lambda: _command(argv[0]), argv[1:])


def _command(name: str) -> "ModuleType":
    """The module of a command.

    Raises:
        UsageError: there is no such command.
    """
    if name in COMMANDS:
        return import_module(f"bootrescue.cli.{name}")
    from difflib import get_close_matches  # noqa: PLC0415 -- only for a mistake

    near = get_close_matches(name, COMMANDS, n=1)
    hint = f"did you mean: bootrescue {near[0]}" if near else "bootrescue --help lists them"
    raise UsageError(f"there is no command '{name}'", hint=hint)


def help_text() -> str:
    """What bootrescue can do, a line a command."""
    lines = [USAGE, "", *(f"  {name:<9} {what}" for name, what in COMMANDS.items()), ""]
    lines += ["Exit codes: 0 done and proved, 1 wrong or unproven, 2 usage, 3 decision needed, 4 refused,"]
    lines += ["5 taken back, 6 not taken back whole, 7 something is missing here, 8 bad input, 130 cancelled."]
    return "\n".join(lines) + "\n"

"""Owns standard error and the exit codes: progress, one clear message for each failure, no traceback unless asked."""

import argparse
import os
import sys
import time
from types import ModuleType

from bootrescue.errors import BootRescueError, ExitCode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from bootrescue.host.host import Progress

# A serial line at 9600 baud carries ten such lines a second; four are readable.
REDRAW_SECONDS = 0.25


def guarded(command: str, module: ModuleType, argv: list[str]) -> int:
    """Parse a command's arguments and carry it out; every failure becomes a message and its code."""
    made = module.make_parser()
    try:
        args = made.parse_args(argv)
    except SystemExit as stop:
        return int(stop.code or 0)
    try:
        code = int(module.run(args))
        sys.stdout.flush()
    except BootRescueError as error:
        return _failed(args, command, error)
    except KeyboardInterrupt:
        return _failed(args, command, _cancelled())
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.DONE
    except (OSError, RecursionError, MemoryError) as error:
        return _failed(args, command, _unforeseen(error))
    return code


def _cancelled() -> BootRescueError:
    from bootrescue.errors import CancelledError  # noqa: PLC0415 -- rare

    return CancelledError("stopped; the target is as before, or as its journal says", hint="see bootrescue history")


def _unforeseen(error: BaseException) -> BootRescueError:
    what = getattr(error, "strerror", None) or str(error) or type(error).__name__
    failure = BootRescueError(
        what, where=str(getattr(error, "filename", "") or ""), hint="--debug shows where it happened"
    )
    failure.exit_code = ExitCode.MACHINE_LACKS
    failure.__cause__ = error
    return failure


def _failed(args: argparse.Namespace, command: str, error: BootRescueError) -> int:
    clear_progress()
    if args.debug:
        import traceback  # noqa: PLC0415 -- only when asked for

        traceback.print_exception(error)
    say(f"bootrescue {command}: {error}")
    if error.hint:
        say(f"hint: {error.hint}")
    if args.json:
        from bootrescue.cli.output import show_json  # noqa: PLC0415 -- only for --json

        show_json(command, None, ok=False, errors=(error,))
    return int(error.exit_code)


def say(text: str) -> None:
    """One line of talk, with nothing in it that a terminal would act on."""
    from bootrescue.report.render_text import safe  # noqa: PLC0415 -- not on the fast way

    sys.stderr.write(safe(text) + "\n")


def progress(args: argparse.Namespace) -> "Callable[[Progress], None]":
    """A listener that keeps one line up to date on a terminal, and says nothing elsewhere."""
    if args.quiet or args.json or not sys.stderr.isatty():
        return lambda _progress: None
    from bootrescue.report.render_text import safe  # noqa: PLC0415 -- not on the fast way

    started = time.monotonic()
    last = 0.0

    def listen(event: "Progress") -> None:
        nonlocal last
        now = time.monotonic()
        if now - last < REDRAW_SECONDS:
            return
        last = now
        share = f" {100 * event.done_bytes // event.total_bytes} %" if event.total_bytes else ""
        sys.stderr.write(f"\r{safe(event.phase)[:66]}{share} ({now - started:.0f} s)\x1b[K")
        sys.stderr.flush()

    return listen


def clear_progress() -> None:
    """Take the progress line away before anything else is printed."""
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K")

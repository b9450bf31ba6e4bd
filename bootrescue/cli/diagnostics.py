"""Owns standard error and the exit codes: progress, one clear message for each failure, no traceback unless asked."""

import io
import sys
import time

from bootrescue.errors import BootRescueError, ExitCode

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from types import ModuleType

    from bootrescue.host.host import Progress

# A serial line at 9600 baud carries ten such lines a second; four are readable.
REDRAW_SECONDS = 0.25


def guarded(command: str, load: "Callable[[], ModuleType]", argv: list[str]) -> int:
    """Load a command, parse its arguments and carry it out; every failure becomes a message and its code."""
    try:
        return _answered(command, load, argv)
    except BrokenPipeError:
        # Whoever read the answer went away, which is no failure; Python must not complain about it at its end.
        sys.stdout = io.StringIO()
        return ExitCode.DONE


def _answered(command: str, load: "Callable[[], ModuleType]", argv: list[str]) -> int:
    try:
        return _carried_out(load, argv)
    except BrokenPipeError:
        raise
    except BaseException as error:  # noqa: BLE001 -- the face's edge: a person reads a sentence, not a traceback
        code = _failed(command, argv, error)
        sys.stdout.flush()
        return code


def _carried_out(load: "Callable[[], ModuleType]", argv: list[str]) -> int:
    module = load()
    try:
        args = module.make_parser().parse_args(argv)
    except SystemExit as stop:
        return int(stop.code or 0)  # argparse ends so after --help
    code = int(module.run(args))
    sys.stdout.flush()
    return code


def _failed(command: str, argv: list[str], error: BaseException) -> int:
    clear_progress()
    if "--debug" in argv:
        import traceback  # noqa: PLC0415 -- only when asked for

        traceback.print_exception(error)
    told = error if isinstance(error, BootRescueError) else _told(error)
    say(f"bootrescue {command}: {told}")
    if told.hint:
        say(f"hint: {told.hint}")
    if "--json" in argv:
        from bootrescue.cli.output import show_json  # noqa: PLC0415 -- only for --json

        show_json(command, None, ok=False, errors=(told,))
    return int(told.exit_code)


def _told(error: BaseException) -> BootRescueError:
    """What is not one of our errors, in words."""
    from bootrescue.errors import CancelledError, MachineLacksError  # noqa: PLC0415 -- rare

    where = str(getattr(error, "filename", None) or "")
    match error:
        case KeyboardInterrupt():
            what = "stopped; the target is as before, or as its journal says"
            return CancelledError(what, hint="see bootrescue history")
        case ModuleNotFoundError():
            return MachineLacksError(f"a Python package is missing: {error.name}", hint="install bootrescue anew")
        case OSError():
            return MachineLacksError(error.strerror or str(error), where=where, hint="--debug shows where it happened")
        case MemoryError() | RecursionError():
            return MachineLacksError("there is too little memory for this", hint="--debug shows where it happened")
        case _:
            what = f"an error in bootrescue itself: {type(error).__name__}: {error}"
            return BootRescueError(what, hint="--debug shows where it happened; please report it")


def say(text: str) -> None:
    """One line of talk, with nothing in it that a terminal would act on."""
    from bootrescue.report.render_text import safe  # noqa: PLC0415 -- not on the fast way

    sys.stderr.write(safe(text) + "\n")


def progress(args: "argparse.Namespace") -> "Callable[[Progress], None]":
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

"""Owns standard output: data only, as text or as one JSON document."""

import argparse
import sys

from bootrescue.errors import BootRescueError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bootrescue.report.render_text import Document


def show(args: argparse.Namespace, command: str, document: "Document", *, ok: bool = True) -> None:
    """Print a command's answer in the form asked for."""
    if args.json:
        show_json(command, document, ok=ok)
        return
    from bootrescue.report.render_text import render_text  # noqa: PLC0415 -- not for --json

    sys.stdout.write(render_text(document))


def show_json(command: str, result: object, *, ok: bool, errors: tuple[BootRescueError, ...] = ()) -> None:
    """Print the one JSON document of a command."""
    from bootrescue.report.model import ErrorDocument  # noqa: PLC0415 -- only for --json
    from bootrescue.report.render_json import render_json  # noqa: PLC0415 -- as above

    documents = tuple(
        ErrorDocument(what=error.what, where=error.where, hint=error.hint, exit_code=error.exit_code)
        for error in errors
    )
    sys.stdout.buffer.write(render_json(command, result, documents, ok=ok))

"""Ask before anything is written: the plan in view, and a word that is not typed by accident."""

import argparse
import sys

from bootrescue.cli.diagnostics import clear_progress, say
from bootrescue.errors import CancelledError, DecisionNeededError

WORD = "repair"


def confirm(args: argparse.Namespace, lines: tuple[str, ...], question: str) -> None:
    """Show what will be done and wait for the word; --yes answers beforehand.

    Raises:
        CancelledError: another word was typed.
        DecisionNeededError: nobody is there to ask.
    """
    clear_progress()
    if args.yes:
        return
    for line in lines:
        say(line)
    if not sys.stdin.isatty():
        raise DecisionNeededError("nobody is there to confirm it; nothing was written", hint="add --yes to go ahead")
    say(question)
    sys.stderr.write(f"Type {WORD} to go ahead: ")
    sys.stderr.flush()
    if sys.stdin.readline().strip() != WORD:
        raise CancelledError("not confirmed; nothing was written")

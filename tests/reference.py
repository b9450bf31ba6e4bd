"""Writes those pages of docs/reference/ that are made from the code: python -m tests.reference."""

import argparse
import inspect
import sys
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from importlib import import_module
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Final, get_args, get_type_hints

from bootrescue.cli.main import COMMANDS
from bootrescue.findings.diagnose import RULES
from bootrescue.report import model
from bootrescue.report.schema import DOCUMENTS

DIRECTORY: Final = Path(__file__).parent.parent / "docs" / "reference"
MADE: Final = "<!-- Made by python -m tests.reference from the code; a test fails when it is stale. -->"
EVERYWHERE: Final = ("--json", "--yes", "--debug", "--quiet", "--no-color")


def commands_page() -> str:
    """Each command with its options, as its own help tells them."""
    parts = ["# Commands", MADE, "Standard output is data, standard error is talk. Every command ends with one of the"]
    parts[-1] += " [exit codes](exit-codes.md)\nand takes these options:"
    parts.append("\n".join(_options("scan", lambda option: option in EVERYWHERE)))
    for name, summary in COMMANDS.items():
        made = _parser(name)
        example = str(made.epilog).removeprefix("example: ")
        own = list(_options(name, lambda option: option not in EVERYWHERE))
        parts += [f"## bootrescue {name}", f"In short: {summary}.", str(made.description), "\n".join(own)]
        parts.append(f"```console\n$ {example}\n```")
    return "\n\n".join(filter(None, parts)) + "\n"


def _parser(name: str) -> argparse.ArgumentParser:
    made = import_module(f"bootrescue.cli.{name}").make_parser()
    assert isinstance(made, argparse.ArgumentParser)
    return made


def _options(name: str, wanted: Callable[[str], bool]) -> Iterator[str]:
    for action in _parser(name)._actions:
        names = action.option_strings or [str(action.metavar or action.dest)]
        if "--help" in names or not wanted(names[-1]):
            continue
        value = "" if action.nargs == 0 or not action.option_strings else f" {action.metavar or _choices(action)}"
        what = action.help or f"one of {_choices(action)}"
        yield f"- `{', '.join(names)}{value}`: {what}"


def _choices(action: argparse.Action) -> str:
    return "|".join(str(choice) for choice in action.choices or () if choice)


def rules_page() -> str:
    """Each rule by its own words."""
    parts = [
        "# Rules",
        MADE,
        "What `bootrescue diagnose` looks for. Each finding names its rule, and comes with evidence.",
    ]
    for check in RULES:
        module = inspect.getmodule(check)
        name, _, rest = inspect.cleandoc(module.__doc__ or "" if module else "").partition(": ")
        first, *more = rest.split("\n\n")
        parts += [f"## {name}", first[:1].upper() + first[1:], *more]
    return "\n\n".join(parts) + "\n"


def json_page() -> str:
    """Each document with its members."""
    envelope = '`{"schema": "bootrescue/1", "command": ..., "ok": ..., "result": {...}, "errors": [...]}`'
    about = inspect.cleandoc(model.__doc__ or "").partition("\n\n")[2]
    parts = ["# JSON", MADE, f"With `--json` a command prints one document: {envelope}.", about]
    parts.append("`bootrescue schema COMMAND` prints the JSON Schema of a command's `result`.")
    for document in (*dict.fromkeys(DOCUMENTS.values()), model.ErrorDocument):
        commands = ", ".join(f"`{name}`" for name, found in DOCUMENTS.items() if found is document)
        parts.append(f"## {commands or '`errors`'}")
        parts += _sections(document)
    return "\n\n".join(parts) + "\n"


def _sections(document: type) -> Iterator[str]:
    """A document and those inside it, each once, the outermost first."""
    pending = [document]
    told: set[type] = set()
    while pending:
        current = pending.pop(0)
        if current in told:
            continue
        told.add(current)
        hints = get_type_hints(current)
        name = current.__name__.removesuffix("Document")
        about = inspect.cleandoc(current.__doc__ or "")
        lines = [f"- `{field.name}`: {_kind(hints[field.name])}" for field in fields(current)]
        yield f"**{name}.** {about}\n\n" + "\n".join(lines)
        pending += [inner for field in fields(current) if (inner := _inner(hints[field.name])) is not None]


def _kind(hint: Any) -> str:  # noqa: ANN401 -- any annotation
    if isinstance(hint, UnionType):
        return " or ".join("null" if part is NoneType else _kind(part) for part in get_args(hint))
    if get_args(hint):
        return f"list of {_kind(get_args(hint)[0])}"
    names = {str: "text", int: "number", bool: "true or false"}
    return names.get(hint) or f"*{hint.__name__.removesuffix('Document')}*"


def _inner(hint: Any) -> type | None:  # noqa: ANN401 -- as above
    if get_args(hint):
        return next((found for part in get_args(hint) if (found := _inner(part)) is not None), None)
    return hint if isinstance(hint, type) and is_dataclass(hint) else None


PAGES: Final[dict[str, Callable[[], str]]] = {
    "commands.md": commands_page,
    "rules.md": rules_page,
    "json.md": json_page,
}


def main() -> None:
    """Write every page."""
    for name, page in PAGES.items():
        (DIRECTORY / name).write_text(page(), encoding="utf-8")
        sys.stdout.write(f"{DIRECTORY / name}\n")


if __name__ == "__main__":
    main()

"""One JSON document for a command (docs/reference/json.md)."""

import json
from dataclasses import asdict, is_dataclass
from typing import Any

from bootrescue.report.model import SCHEMA, ErrorDocument


def render_json(command: str, result: object, errors: tuple[ErrorDocument, ...], *, ok: bool) -> bytes:
    """Print a command's result in ASCII: what a terminal would act on is escaped, and so are odd bytes in names."""
    document = {
        "schema": SCHEMA,
        "command": command,
        "ok": ok,
        "result": _printable(asdict(result)) if is_dataclass(result) and not isinstance(result, type) else {},
        "errors": [_printable(asdict(error)) for error in errors],
    }
    return json.dumps(document, indent=2).encode("ascii") + b"\n"


def _printable(value: Any) -> Any:  # noqa: ANN401 -- any JSON value
    if isinstance(value, str):
        return value.encode(errors="surrogateescape").decode(errors="backslashreplace")
    if isinstance(value, dict):
        return {key: _printable(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [_printable(member) for member in value]
    return value

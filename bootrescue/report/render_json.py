"""One JSON document for a command (docs/reference/json.md)."""

from typing import Any

from bootrescue.report.model import SCHEMA, ErrorDocument


def render_json(command: str, result: object, errors: tuple[ErrorDocument, ...], *, ok: bool) -> bytes:
    """Print a command's result. Names that are no UTF-8 are shown with backslash escapes."""
    import msgspec  # noqa: PLC0415 -- 45 ms that only --json needs

    document = {
        "schema": SCHEMA,
        "command": command,
        "ok": ok,
        "result": _printable(msgspec.to_builtins(result)) if result is not None else {},
        "errors": _printable(msgspec.to_builtins(errors)),
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def _printable(value: Any) -> Any:  # noqa: ANN401 -- any JSON value
    if isinstance(value, str):
        return value.encode(errors="surrogateescape").decode(errors="backslashreplace")
    if isinstance(value, dict):
        return {key: _printable(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [_printable(member) for member in value]
    return value

"""Plan files: TOML in and out (docs/reference/plan-file.md). A plan read back equals the plan written."""

import hashlib
import re
import tomllib
from pathlib import PurePosixPath
from typing import Any, Final

from bootrescue.errors import BadInputError
from bootrescue.plan.model import (
    ABSENT,
    COMPUTED,
    SCHEMA,
    Machine,
    Plan,
    PointEntry,
    RebuildModuleIndex,
    RestoreImage,
    RestoreModule,
    Step,
    kind_of,
)

STEP_CLASSES: Final[dict[str, type[Step]]] = {
    "restore-image": RestoreImage,
    "restore-module": RestoreModule,
    "rebuild-module-index": RebuildModuleIndex,
    "point-entry": PointEntry,
}
# A plan for thousands of modules stays far below; more was not made by us.
LIMIT_BYTES: Final = 4 << 20
# No loader takes an image of that size, and no configuration has that many lines.
LARGEST_NUMBER: Final = 4 << 30
DIGEST: Final = re.compile(r"[0-9a-f]{64}")
IN_PLACE_OF_A_DIGEST: Final = {"before_sha256": ABSENT, "after_sha256": COMPUTED}
# TOML holds Unicode only. A byte of a name that is no UTF-8 is written \xNN, and a backslash twice.
ODD_BYTE: Final = re.compile("[\udc80-\udcff]")
ESCAPE: Final = re.compile(r"\\(?:x([89a-f][0-9a-f])|\\)|\\")


def render_plan(plan: Plan) -> bytes:
    """Write a plan as TOML. The id is left out: it follows from the rest."""
    lines = [f"schema = {_text(SCHEMA)}", f"system = {_text(plan.system)}"]
    if plan.notes:
        lines.append(f"notes = [{', '.join(_text(note) for note in plan.notes)}]")
    lines += ["", "[machine]"]
    for name in ("machine_id", "root_uuid"):
        value = getattr(plan.machine, name)
        if value:
            lines.append(f"{name} = {_text(value)}")
    for step in plan.steps:
        lines += ["", "[[step]]", f"kind = {_text(kind_of(step))}"]
        lines += [f"{name} = {_value(getattr(step, name))}" for name in type(step).__dataclass_fields__]
    return ("\n".join(lines) + "\n").encode()


def _value(value: object) -> str:
    return str(value) if isinstance(value, int) else _text(str(value))


def _text(value: str) -> str:
    """A TOML basic string in ASCII (toml.io, v1.0.0, String)."""
    plain = ODD_BYTE.sub(lambda found: f"\\x{ord(found[0]) - 0xDC00:02x}", value.replace("\\", "\\\\"))
    return '"' + "".join(map(_letter, plain)) + '"'


def _letter(letter: str) -> str:
    if letter in {'"', "\\"}:
        return "\\" + letter
    if " " <= letter <= "~":
        return letter
    return f"\\u{ord(letter):04X}" if letter <= "\uffff" else f"\\U{ord(letter):08X}"


def parse_plan(content: bytes, *, where: str) -> Plan:
    """Read a plan file.

    Raises:
        BadInputError: it is no plan, or one of another version, or a member is missing, unknown or of a wrong kind.
    """
    if len(content) > LIMIT_BYTES:
        raise BadInputError("is too large to be a plan", where=where)
    try:
        table = tomllib.loads(content.decode())
    except (ValueError, RecursionError) as error:
        raise BadInputError(f"is not TOML: {error}", where=where) from error
    if table.get("schema") != SCHEMA:
        raise BadInputError(f'is no plan: it does not begin with schema = "{SCHEMA}"', where=where)
    if "policy" in table:
        raise BadInputError(
            "has a [policy]; only plans with steps are carried out so far",
            where=where,
            hint="make one on the machine: bootrescue plan -o FILE",
        )
    _refuse_unknown(table.keys() - {"schema", "system", "notes", "machine", "step"}, where)
    steps = enumerate(_list(table, "step", where), start=1)
    notes = enumerate(_list(table, "notes", where), start=1)
    return Plan(
        id=plan_id(content),
        system=_string(table.get("system", ""), f"{where}: system"),
        machine=_machine(table.get("machine", {}), f"{where}: [machine]"),
        steps=tuple(_step(entry, f"{where}, step {number}") for number, entry in steps),
        notes=tuple(_string(note, f"{where}: note {number}") for number, note in notes),
    )


def plan_id(content: bytes) -> str:
    """The id of a plan: the first 12 digits of its file's SHA-256."""
    return hashlib.sha256(content).hexdigest()[:12]


def _list(table: dict[str, Any], name: str, where: str) -> list[Any]:
    value = table.get(name, [])
    if not isinstance(value, list):
        raise BadInputError("is no list", where=f"{where}: {name}")
    return value


def _machine(entry: object, where: str) -> Machine:
    if not isinstance(entry, dict):
        raise BadInputError("is no table", where=where)
    _refuse_unknown(entry.keys() - set(Machine.__dataclass_fields__), where)
    return Machine(**{name: _string(value, f"{where}: {name}") for name, value in entry.items()})


def _step(entry: object, where: str) -> Step:
    kind = entry.get("kind") if isinstance(entry, dict) else None
    if not isinstance(entry, dict) or not isinstance(kind, str) or kind not in STEP_CLASSES:
        raise BadInputError("is of no known kind", where=where, hint=f"kinds: {', '.join(STEP_CLASSES)}")
    fields = STEP_CLASSES[kind].__dataclass_fields__
    _refuse_unknown(entry.keys() - fields.keys() - {"kind"}, where)
    values = {}
    for name, field in fields.items():
        if name not in entry:
            raise BadInputError(f"lacks {name}", where=where)
        values[name] = _member(name, entry[name], field.type, f"{where}: {name}")
    return STEP_CLASSES[kind](**values)


def _member(name: str, value: object, wanted: object, where: str) -> Any:  # noqa: ANN401 -- a member of any step
    if wanted is int:
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= LARGEST_NUMBER:
            raise BadInputError(f"is no number from 0 to {LARGEST_NUMBER}", where=where)
        return value
    text = _string(value, where)
    if wanted is PurePosixPath:
        path = PurePosixPath(text)
        if not text.startswith("/") or text in {"/", "//"} or str(path) != text or "//" in text or ".." in path.parts:
            raise BadInputError("is no absolute path without . and ..", where=where)
        return path
    if name in IN_PLACE_OF_A_DIGEST and text != IN_PLACE_OF_A_DIGEST[name] and not DIGEST.fullmatch(text):
        raise BadInputError(f"is neither a SHA-256 nor '{IN_PLACE_OF_A_DIGEST[name]}'", where=where)
    return text


def _string(value: object, where: str) -> str:
    """A text with the escapes of _text taken off."""
    if not isinstance(value, str):
        raise BadInputError("is no text", where=where)
    if "\0" in value:
        raise BadInputError("holds a NUL", where=where)
    if any(found[0] == "\\" for found in ESCAPE.finditer(value)):
        raise BadInputError(r"has a backslash that is neither \\ nor \x80 to \xff", where=where)
    return ESCAPE.sub(lambda found: chr(0xDC00 + int(found[1], 16)) if found[1] else "\\", value)


def _refuse_unknown(names: set[str], where: str) -> None:
    if names:
        raise BadInputError(f"holds what is not known: {', '.join(sorted(names))}", where=where)

"""Plan files: TOML in and out (docs/reference/plan-file.md). A plan read back equals the plan written."""

import json
import tomllib
from pathlib import PurePosixPath
from typing import Any, Final

from bootrescue.errors import BadInputError
from bootrescue.plan.model import (
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
    """A TOML basic string; JSON's escapes are a subset of TOML's (toml.io, v1.0.0, String), but for DEL."""
    return json.dumps(value, ensure_ascii=True).replace("\x7f", "\\u007f")


def parse_plan(content: bytes, *, where: str) -> Plan:
    """Read a plan file.

    Raises:
        BadInputError: it is no plan, or one of another version, or a member is missing, unknown or of a wrong kind.
    """
    if len(content) > LIMIT_BYTES:
        raise BadInputError("is too large to be a plan", where=where)
    try:
        table = tomllib.loads(content.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadInputError(f"is not TOML: {error}", where=where) from error
    if table.get("schema") != SCHEMA:
        raise BadInputError(f'is no plan: it does not begin with schema = "{SCHEMA}"', where=where)
    if "policy" in table:
        raise BadInputError(
            "has a [policy]; only plans with steps are carried out so far",
            where=where,
            hint="make one on the machine: bootrescue plan -o FILE",
        )
    known = {"schema", "system", "notes", "machine", "step"}
    _refuse_unknown(table.keys() - known, where)
    steps = tuple(_step(entry, number, where) for number, entry in enumerate(_list(table, "step", where), start=1))
    notes = tuple(str(note) for note in _list(table, "notes", where))
    return Plan(
        id=plan_id(content),
        system=str(table.get("system", "")),
        machine=_machine(table, where),
        steps=steps,
        notes=notes,
    )


def plan_id(content: bytes) -> str:
    """The id of a plan: the first 12 digits of its file's SHA-256."""
    import hashlib  # noqa: PLC0415 -- light, and used nowhere else here

    return hashlib.sha256(content).hexdigest()[:12]


def _list(table: dict[str, Any], name: str, where: str) -> list[Any]:
    value = table.get(name, [])
    if not isinstance(value, list):
        raise BadInputError(f"{name} is not a list", where=where)
    return value


def _machine(table: dict[str, Any], where: str) -> Machine:
    entry = table.get("machine", {})
    if not isinstance(entry, dict) or not all(isinstance(value, str) for value in entry.values()):
        raise BadInputError("[machine] holds texts only", where=where)
    _refuse_unknown(entry.keys() - set(Machine.__dataclass_fields__), where)
    return Machine(**entry)


def _step(entry: object, number: int, where: str) -> Step:
    if not isinstance(entry, dict) or entry.get("kind") not in STEP_CLASSES:
        raise BadInputError(f"step {number} is of no known kind", where=where, hint=f"kinds: {', '.join(STEP_CLASSES)}")
    kind = STEP_CLASSES[str(entry["kind"])]
    fields = kind.__dataclass_fields__
    given = {name: value for name, value in entry.items() if name != "kind"}
    _refuse_unknown(given.keys() - fields.keys(), f"{where}, step {number}")
    values = {}
    for name, field in fields.items():
        if name not in given:
            raise BadInputError(f"step {number} lacks {name}", where=where)
        values[name] = _member(given[name], field.type, f"{where}, step {number}: {name}")
    return kind(**values)


def _member(value: object, wanted: object, where: str) -> Any:  # noqa: ANN401 -- a member of any step
    if wanted in {int, "int"}:
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise BadInputError("is no number", where=where)
        return value
    if not isinstance(value, str):
        raise BadInputError("is no text", where=where)
    if wanted in {PurePosixPath, "PurePosixPath"}:
        if not value.startswith("/") or ".." in PurePosixPath(value).parts or "\0" in value:
            raise BadInputError("is no absolute path", where=where)
        return PurePosixPath(value)
    return value


def _refuse_unknown(names: set[str], where: str) -> None:
    if names:
        raise BadInputError(f"holds what is not known: {', '.join(sorted(names))}", where=where)

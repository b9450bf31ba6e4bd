"""The JSON Schema of each command's `result`."""

from typing import Final

from bootrescue.report import model

DOCUMENTS: Final[dict[str, type]] = {
    "scan": model.ScanDocument,
    "backups": model.BackupsDocument,
    "diagnose": model.DiagnosisDocument,
    "plan": model.RepairDocument,
    "apply": model.RepairDocument,
    "rollback": model.RepairDocument,
    "verify": model.RepairDocument,
    "undo": model.RepairDocument,
    "history": model.HistoryDocument,
    "entries": model.EntriesDocument,
    "image-examine": model.ImageDocument,
    "image-list": model.ListingDocument,
}


def render_schema(command: str) -> bytes:
    """The schema of one command, or of each by its name, as JSON (draft 2020-12, as msgspec writes it)."""
    import msgspec  # noqa: PLC0415 -- only here

    schemas = {name: msgspec.json.schema(document) for name, document in DOCUMENTS.items() if command in {"", name}}
    return msgspec.json.format(msgspec.json.encode(schemas[command] if command else schemas), indent=2) + b"\n"

"""The JSON documents hold what is promised: every member by its name, of its kind."""

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, get_args, get_type_hints

import pytest

from bootrescue.cli.main import main
from bootrescue.devices.model import BlockDevice, DeviceKind, Slice
from bootrescue.report import model
from bootrescue.report.judging import time_text
from bootrescue.report.looking import device_document, file_system_document
from bootrescue.report.render_json import render_json
from bootrescue.report.schema import DOCUMENTS
from tests.chain_builders import BACKUP, ROOT_UUID, ImageRecipe, Machine, driver, drivers, file_system, image

Shape = type | list["Shape"] | dict[str, "Shape"]

KERNEL: Shape = {"release": str, "image": str, "modules_directory": str}
FILE: Shape = {"path": str, "exists": bool, "size_bytes": int, "sha256": str}
ENTRY: Shape = {
    "id": str, "title": str, "kind": str, "source": {"path": str, "line": int}, "submenu": [str], "kernel": str,
    "initrds": [str], "command_line": str, "default": bool, "verdict": str, "files": [FILE],
}  # fmt: skip
EVIDENCE: Shape = [{"path": str, "offset": int, "text": str}]
LINK: Shape = {"link": str, "state": str, "evidence": EVIDENCE}
DEVICE: dict[str, Shape] = {
    "path": str, "kind": str, "size_bytes": int, "serial": str, "model": str, "partition_table": str,
}  # fmt: skip
FILE_SYSTEM: Shape = {"uuid": str, "type": str, "label": str, "device": str}
COMPARISON: Shape = {"modules_added": [str], "modules_removed": [str], "modules_changed": [str]}
PROOF: Shape = {"outcome": str, "evidence": [str]}

# docs/reference/json.md and the contract that it follows: these members are promised
PROMISED: Mapping[str, Shape] = {
    "scan": {
        "file_systems": [FILE_SYSTEM],
        "systems": [
            {
                "id": str, "name": str, "version": str, "root": str, "boot": str, "esp": str, "firmware": str,
                "kernels": [KERNEL], "entries": [ENTRY],
            },
        ],
    },
    "entries": {"entries": [ENTRY]},
    "backups": {
        "candidates": [
            {
                "path": str, "file_system": str, "grub_path": str, "sha256": str, "size_bytes": int, "generator": str,
                "kernel_releases": [str], "modified": str, "fit": str, "reasons": [LINK],
                "compared_to_current": COMPARISON, "rank": int,
            },
        ],
    },
    "diagnose": {
        "systems": [
            {
                "id": str,
                "entries": [{"id": str, "verdict": str, "chain": [LINK]}],
                "findings": [
                    {
                        "rule": str, "severity": str, "subject": str, "summary": str, "evidence": EVIDENCE,
                        "remedies": [str],
                    },
                ],
            },
        ],
    },
    "plan": {
        "plan": {
            "id": str,
            "steps": [{"kind": str, "path": str, "before_sha256": str, "after_sha256": str, "undo": str}],
        },
    },
    "image-examine": {
        "size_bytes": int, "sha256": str, "complete": bool, "kernel_view": {"accepted": str, "message": str},
        "proved": bool, "problems": [str], "generator": str, "generator_version": str, "kernel_releases": [str],
        "segments": [
            {
                "offset": int, "stored_size_bytes": int, "size_bytes": int, "codec": str, "role": str,
                "entry_count": int,
            },
        ],
        "modules": [
            {
                "name": str, "path": str, "version": str, "vermagic": str, "stripped": bool, "signed": bool,
                "sha256": str,
            },
        ],
    },
    "image-list": {"entries": [{"name": str, "mode": str, "size_bytes": int, "segment": int}]},
}  # fmt: skip
STRIPPED = driver("virtio_blk", stripped=True)
BROKEN = Machine(
    image=image(ImageRecipe(modules=drivers(virtio_blk=STRIPPED))),
    installed=drivers(virtio_blk=STRIPPED),
    files={BACKUP: image(ImageRecipe(salt=1)), "/root/other.bin": image(ImageRecipe(modules=drivers(i40e=None)))},
)


def assert_shape(value: Any, shape: Shape, where: str = "result") -> None:  # noqa: ANN401 -- any JSON value
    """Every promised member is there and of its kind; a list that shows nothing proves nothing."""
    if isinstance(shape, dict):
        assert isinstance(value, dict), where
        for name, member in shape.items():
            assert name in value, f"{where} lacks {name}"
            assert_shape(value[name], member, f"{where}.{name}")
    elif isinstance(shape, list):
        assert isinstance(value, list), where
        for number, one in enumerate(value):
            assert_shape(one, shape[0], f"{where}[{number}]")
    else:
        assert type(value) is shape, f"{where} is {value!r}"


def answer(capsys: pytest.CaptureFixture[str], *argv: str) -> dict[str, Any]:
    """The one JSON document that a command prints."""
    main([*argv, "--json"])
    document = json.loads(capsys.readouterr().out)
    assert set(document) == {"schema", "command", "ok", "result", "errors"}
    assert document["schema"] == "bootrescue/1"
    return dict(document)


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The broken machine as a directory, looked at by somebody who is not root."""
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    return str(BROKEN.write_to(tmp_path / "machine"))


@pytest.mark.parametrize("command", ["scan", "backups", "diagnose"])
def test_a_documents_members_are_the_promised_ones(
    command: str, directory: str, capsys: pytest.CaptureFixture[str]
) -> None:
    document = answer(capsys, command, "--root", directory)
    assert (document["command"], document["errors"]) == (command, [])
    assert_shape(document["result"], PROMISED[command])


def test_entries_lists_what_is_promised(directory: str, capsys: pytest.CaptureFixture[str]) -> None:
    document = answer(capsys, "entries", "list", "--root", directory)
    assert_shape(document["result"], PROMISED["entries"])
    (entry,) = document["result"]["entries"]
    assert (entry["verdict"], entry["default"]) == ("unknown", True)
    assert [one["exists"] for one in entry["files"]] == [True, True]


def test_a_lone_grub_cfg_gives_entries_without_verdict(directory: str, capsys: pytest.CaptureFixture[str]) -> None:
    document = answer(capsys, "entries", "list", "--file", f"{directory}/boot/grub/grub.cfg")
    assert_shape(document["result"], PROMISED["entries"])
    assert [entry["verdict"] for entry in document["result"]["entries"]] == ["unknown"]


def test_the_plan_is_as_promised(directory: str, capsys: pytest.CaptureFixture[str]) -> None:
    argv = ["plan", "--root", directory, "--remedy", "restore-image", "--to", BACKUP]
    document = answer(capsys, *argv)
    assert_shape(document["result"], PROMISED["plan"])
    assert [step["kind"] for step in document["result"]["plan"]["steps"]] == ["restore-image"]


def test_images_are_as_promised(directory: str, capsys: pytest.CaptureFixture[str]) -> None:
    document = answer(capsys, "image", "examine", directory + BACKUP)
    assert_shape(document["result"], PROMISED["image-examine"])
    assert document["result"]["modules"]
    assert_shape(answer(capsys, "image", "list", directory + BACKUP)["result"], PROMISED["image-list"])


def test_history_is_empty_and_well_formed_without_transactions(
    directory: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert answer(capsys, "history", "--root", directory)["result"] == {"transactions": []}


def test_devices_and_file_systems_are_as_promised() -> None:
    child = BlockDevice(path="/dev/sda1", kind=DeviceKind.PARTITION, size_bytes=5, piece=Slice(path="/dev/sda1"))
    disk = BlockDevice(
        path="/dev/sda", kind=DeviceKind.DISK, size_bytes=9, piece=Slice(path="/dev/sda"), children=(child,)
    )
    scanned = model.ScanDocument(
        devices=(device_document(disk),),
        file_systems=(file_system_document(file_system(ROOT_UUID, "ext4", "sda1")),),
        systems=(),
        unread=(),
    )
    result = json.loads(render_json("scan", scanned, (), ok=True))["result"]
    assert_shape(result, {"devices": [{**DEVICE, "children": [DEVICE]}], "file_systems": [FILE_SYSTEM]})
    assert result["devices"][0]["children"][0]["kind"] == "partition"


def members(document: type) -> dict[str, Shape]:
    """The shape that a document's class declares; what may be null counts as what it else is."""
    hints = get_type_hints(document)
    return {field.name: _shape(hints[field.name]) for field in fields(document)}


def _shape(hint: Any) -> Shape:  # noqa: ANN401 -- any annotation
    if isinstance(hint, UnionType):
        (hint,) = [part for part in get_args(hint) if part is not NoneType]
    if get_args(hint):
        return [_shape(get_args(hint)[0])]
    shape: type = hint
    return members(shape) if is_dataclass(shape) else shape


def test_repairs_declare_what_is_promised() -> None:
    declared = members(model.RepairDocument)
    transaction = declared["transaction"]
    verification = declared["verification"]
    assert isinstance(transaction, dict)
    assert {"id": str, "state": str, "journal": str, "backups": [str]}.items() <= transaction.items()
    assert verification == dict.fromkeys(("recheck", "grub_view", "fit", "boot_proof"), PROOF)


def test_every_command_has_a_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    assert set(json.loads(capsys.readouterr().out)) == set(DOCUMENTS)
    for command in DOCUMENTS:
        assert main(["schema", command]) == 0
        schema = json.loads(capsys.readouterr().out)
        assert DOCUMENTS[command].__name__ in schema["$defs"]


def test_odd_names_are_escaped_in_json() -> None:
    odd = model.HistoryDocument(transactions=())
    errors = (model.ErrorDocument(what="\x1b[2J\u202e\x9b\udcff", where="", hint="", exit_code=1),)
    text = render_json("history", odd, errors, ok=False)
    assert text.isascii()
    assert json.loads(text)["errors"][0]["what"] == "\x1b[2J\u202e\x9b\\xff"


@pytest.mark.parametrize(
    ("modified_ns", "text"),
    [(0, "1970-01-01T00:00:00Z"), (1_483_228_800_999_999_999, "2017-01-01T00:00:00Z"), (-1, "1969-12-31T23:59:59Z"),
     (2**63 * 10**9, ""), (-(2**63) * 10**9, "")],
)  # fmt: skip
def test_a_time_outside_the_calendar_is_no_failure(modified_ns: int, text: str) -> None:
    assert time_text(modified_ns) == text

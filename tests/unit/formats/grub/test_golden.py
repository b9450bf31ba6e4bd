"""Whole configurations in the manner of the distributions, against the entries expected of them."""

import json
from pathlib import Path
from typing import Any

import pytest

from bootrescue.formats.grub.entries import GrubEntry, GrubMenu, default_entry, read_menu
from bootrescue.formats.grub.tree import parse, render

PLAIN = (
    *("index_path", "title", "id", "line", "conditional", "kernel_keyword", "kernel", "kernel_known"),
    *("command_line", "initrd_keyword", "loader", "root", "root_uuid"),
)
CASES = sorted((Path(__file__).parents[3] / "golden" / "grub").iterdir())


def as_json(menu: GrubMenu) -> dict[str, Any]:
    entry = default_entry(menu)
    return {
        "default": menu.default,
        "default_known": menu.default_known,
        "default_entry": entry.index_path if entry else None,
        "uses_blscfg": menu.uses_blscfg,
        "other_files": [[file.line, file.keyword, file.path.text, file.root_uuid] for file in menu.other_files],
        "problems": list(menu.problems),
        "entries": [entry_as_json(entry) for entry in menu.entries],
    }


def entry_as_json(entry: GrubEntry) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in PLAIN} | {
        "submenu": list(entry.submenu),
        "classes": list(entry.classes),
        "initrds": [[word.text, word.known] for word in entry.initrds],
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_menu_is_the_expected_one(case: Path) -> None:
    script = parse((case / "grub.cfg").read_bytes())
    menu = read_menu(script, environment=json.loads((case / "environment.json").read_text()))
    assert as_json(menu) == json.loads((case / "expected.json").read_text())
    assert render(script) == (case / "grub.cfg").read_bytes()

"""A disk of this machine, given with --disk, is repaired like an image; a loop device stands in for it."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab.breaks import strip
from tests.system.command_line import bootrescue, lab_copy

pytestmark = pytest.mark.root


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[str]:
    """The el7 machine with a stripped storage driver, as a block device."""
    machine = lab_copy("el7", tmp_path)
    strip(machine)
    argv = ["losetup", "--find", "--show", str(machine.disk)]
    device = subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()
    yield device
    subprocess.run(["losetup", "--detach", device], check=True)


def answer(code: int, *words: str) -> dict[str, Any]:
    done = bootrescue(*words, "--json")
    assert done.code == code, done.stderr
    result: dict[str, Any] = done.document["result"]
    return result


def test_a_disk_without_hardware_in_view_is_judged_like_an_image(disk: str) -> None:
    found = answer(1, "diagnose", "--disk", disk)["systems"][0]
    assert {finding["rule"]: finding["severity"] for finding in found["findings"]}["module-refused"] == "fatal"


def test_a_disk_is_rolled_back_and_undone(disk: str) -> None:
    done = answer(0, "rollback", "--disk", disk, "--yes")
    assert [step["kind"] for step in done["plan"]["steps"]] == [
        "restore-image",
        "restore-module",
        "rebuild-module-index",
    ]
    assert done["verification"]["fit"]["outcome"] == "proved"
    assert answer(0, "undo", "--disk", disk, "--yes")["transaction"]["state"] == "undone"

"""Looking writes nothing: every command that only looks leaves a real machine's disk as it was, journals and all."""

from pathlib import Path

import pytest

from tests.builders import attached
from tests.lab.breaks import truncate
from tests.lab.dirty import dirty
from tests.system.command_line import bootrescue, content_digest, lab_copy

pytestmark = pytest.mark.root

# The exit codes that a broken machine may give: it is told wrong, and the answer is whole all the same
LOOKING = {
    "scan": {0},
    "backups": {0},
    "diagnose": {1},
    "plan": {0},
    "verify": {1},
    "history": {0},
    "entries list": {0},
}


@pytest.mark.parametrize("journal", ["clean", "dirty"])
@pytest.mark.parametrize("name", ["debian", "el7"])
def test_looking_leaves_the_disk_as_it_was(name: str, journal: str, tmp_path: Path) -> None:
    machine = lab_copy(name, tmp_path)
    truncate(machine)
    if journal == "dirty":
        dirty(machine)
    before = content_digest(machine.disk)
    modified_ns = machine.disk.stat().st_mtime_ns
    for command, codes in LOOKING.items():
        answer = bootrescue(*command.split(), "--image", machine.disk, "--json")
        assert answer.code in codes, (command, answer.stderr)
        assert answer.document["result"] is not None
        assert content_digest(machine.disk) == before, command
        assert machine.disk.stat().st_mtime_ns == modified_ns, command


def test_a_disk_that_is_read_only_is_looked_at_and_not_repaired(tmp_path: Path) -> None:
    machine = lab_copy("debian", tmp_path)
    truncate(machine)
    plan = tmp_path / "plan.toml"
    assert bootrescue("plan", "--image", machine.disk, "-o", plan).code == 0
    before = content_digest(machine.disk)
    with attached(machine.disk, "--read-only") as device:
        assert bootrescue("diagnose", "--disk", device).code == 1
        answer = bootrescue("apply", plan, "--disk", device, "--yes", "--json")
    assert answer.code == 7
    assert answer.document["errors"][0]["where"]
    assert content_digest(machine.disk) == before

"""Transactions on the disks of real machines: refused with nothing written, done once, and undone to the byte."""

import fcntl
import os
from pathlib import Path

import pytest

from bootrescue.host.depmod import rebuilt_index
from bootrescue.host.host import open_host
from tests.builders import on_disk, tool
from tests.lab.breaks import Break, strip
from tests.lab.dirty import dirty
from tests.lab.machine import LabMachine, installed_system
from tests.system.command_line import bootrescue, content_digest, lab_copy, refusal

pytestmark = pytest.mark.root


@pytest.fixture(params=["debian", "el7"])
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> LabMachine:
    return lab_copy(str(request.param), tmp_path)


def planned(machine: LabMachine, *wish: str) -> Path:
    plan = machine.disk.with_name("plan.toml")
    assert bootrescue("plan", "--image", machine.disk, *wish, "-o", plan).code == 0
    return plan


def digests(machine: LabMachine, done: Break) -> dict[str, str]:
    with installed_system(machine, read_only=True) as root:
        return {
            change.path: tool("sha256sum", root / change.path.lstrip("/"))[:64]
            for change in done.changes
            if (root / change.path.lstrip("/")).exists()
        }


def test_apply_once_and_undo(machine: LabMachine) -> None:
    broken = strip(machine)
    before = digests(machine, broken)
    dirty(machine)
    plan = planned(machine)
    first = bootrescue("apply", plan, "--image", machine.disk, "--yes", "--json")
    assert first.code == 0, first.stderr
    result = first.document["result"]
    assert result["transaction"]["state"] == "committed"
    assert result["verification"]["grub_view"]["outcome"] == "proved"
    assert {change["path"] for change in result["transaction"]["changes"]} >= {machine.initrd}
    repaired = content_digest(machine.disk)
    again = bootrescue("apply", plan, "--image", machine.disk, "--yes", "--json")
    assert (again.code, again.document["result"]["already_so"]) == (0, True)
    assert content_digest(machine.disk) == repaired
    undone = bootrescue("undo", "--image", machine.disk, "--yes", "--json")
    assert (undone.code, undone.document["result"]["transaction"]["state"]) == (0, "undone")
    assert digests(machine, broken) == before


@pytest.mark.parametrize("changed", ["image", "source", "grub.cfg"])
def test_a_target_that_changed_since_is_refused_and_nothing_is_written(changed: str, tmp_path: Path) -> None:
    machine = lab_copy("el7", tmp_path)
    strip(machine)
    plan = planned(machine, *(["--remedy", "point-entry"] if changed == "grub.cfg" else []))
    with installed_system(machine) as root:
        names = {"image": machine.initrd, "source": machine.backup, "grub.cfg": "/boot/grub2/grub.cfg"}
        with (root / names[changed].lstrip("/")).open("ab") as stream:
            stream.write(b"#\n")
    before = content_digest(machine.disk)
    error = refusal(4, "apply", plan, "--image", machine.disk, "--yes")
    assert error["where"] == names[changed]
    assert content_digest(machine.disk) == before


def test_another_machine_is_refused(tmp_path: Path) -> None:
    one, other = lab_copy("debian", tmp_path), lab_copy("el7", tmp_path)
    strip(one)
    plan = planned(one)
    before = content_digest(other.disk)
    assert "not the machine" in refusal(4, "apply", plan, "--image", other.disk, "--yes")["what"]
    assert content_digest(other.disk) == before


def test_two_at_once(tmp_path: Path) -> None:
    machine = lab_copy("debian", tmp_path)
    strip(machine)
    plan = planned(machine)
    before = content_digest(machine.disk)
    descriptor = os.open(machine.disk, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        assert "lock" in refusal(4, "apply", plan, "--image", machine.disk, "--yes")["what"]
    finally:
        os.close(descriptor)
    assert content_digest(machine.disk) == before


def test_the_index_is_what_depmod_writes_in_place(tmp_path: Path) -> None:
    """A few real modules, one of them by an absolute link as Red Hat's weak-updates have it."""
    machine = lab_copy("debian", tmp_path)
    release = machine.kernel_release
    tree = tmp_path / "tree"
    place = tree / "lib/modules" / release
    place.mkdir(parents=True)
    with installed_system(machine, read_only=True) as root:
        source = root / "lib/modules" / release
        for name in ("modules.order", "modules.builtin"):
            (place / name).write_bytes((source / name).read_bytes())
        for module in sorted(source.rglob("*.ko"))[:40]:
            on_disk(place, {f"/{module.relative_to(source)}": module.read_bytes()})
    tool("depmod", "--basedir", tree, release)
    expected = {path.name: path.read_bytes() for path in place.glob("modules.*")}
    (place / "modules.dep").write_bytes(b"")
    (place / "modules.alias.bin").unlink()
    (place / "out").symlink_to("/usr/lib")
    with open_host() as host:
        assert rebuilt_index(host, place, release, {}) == expected
    (place / "out").unlink()
    other = tree / "lib/modules/6.0.0/extra/weak.ko"
    on_disk(tree, {"/lib/modules/6.0.0/extra/weak.ko": next(place.rglob("*.ko")).read_bytes()})
    (place / "weak-updates").mkdir()
    (place / "weak-updates/weak.ko").symlink_to(f"/lib/modules/6.0.0/extra/{other.name}")
    with open_host() as host:
        index = rebuilt_index(host, place, release, {"a.conf": b"search weak-updates built-in\n"})
    assert b"weak-updates/weak.ko:" in index["modules.dep"]
    assert (place / "weak-updates/weak.ko").readlink() == Path("/lib/modules/6.0.0/extra/weak.ko")

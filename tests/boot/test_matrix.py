"""Every lab machine, broken in every way: it boots, does not, boots again once rolled back, and is undone to the byte.

The boots that count here are the lab's own, by its own token: bootrescue's boot proof is on trial too, and is compared.
"""

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.lab.breaks import BREAKS, Break
from tests.lab.build import build
from tests.lab.machine import Firmware, LabMachine, installed_system
from tests.lab.qemu import boot

pytestmark = [pytest.mark.root, pytest.mark.qemu]

REPOSITORY = Path(__file__).resolve().parents[2]
RULE_OF_BREAK = {
    "strip": "module-refused",
    "strip-fs": "module-refused",
    "foreign": "root-driver-missing",
    "truncate": "image-damaged",
    "drop": "root-driver-missing",
}
SPINE_BREAKS = ("strip", "foreign", "truncate", "drop")


def bootrescue(*arguments: str, code: int) -> dict[str, Any]:
    """Run a command and give its JSON document; its exit code must be the one expected."""
    done = subprocess.run(
        [sys.executable, "-m", "bootrescue", *arguments, "--json"],
        capture_output=True,
        cwd=REPOSITORY,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    assert done.returncode == code, done.stderr.decode()
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def boot_proof(machine: LabMachine) -> dict[str, Any]:
    """The boot proof that `verify --prove` makes of a machine that boots."""
    document = bootrescue("verify", "--image", str(machine.disk), "--prove", code=0)
    proof: dict[str, Any] = document["result"]["verification"]["boot_proof"]
    return proof


def digests(machine: LabMachine, paths: tuple[str, ...]) -> dict[str, str | None]:
    """The SHA-256 of files of a machine at rest; None for one that is not there."""
    found: dict[str, str | None] = {}
    with installed_system(machine, read_only=True) as root:
        for path in paths:
            local = root / path.lstrip("/")
            found[path] = hashlib.sha256(local.read_bytes()).hexdigest() if local.is_file() else None
    return found


def broken_copy(name: str, kind: str, directory: Path) -> tuple[LabMachine, Break]:
    """A machine of its own for one test, broken in one way."""
    machine = build(name).copy_to(directory / f"{name}-{kind}.img")
    return machine, BREAKS[kind](machine)


@pytest.mark.parametrize(
    ("name", "firmware"), [("debian", Firmware.BIOS), ("debian", Firmware.UEFI), ("el7", Firmware.BIOS)]
)
def test_a_healthy_machine_boots_and_is_told_to_boot(name: str, firmware: Firmware) -> None:
    machine = build(name)
    result = boot(machine.disk, firmware)
    assert result.reached, result.console[-3000:]
    assert f"{result.token} {machine.kernel_release} /dev/vda{machine.root_partition}" in result.token_line
    document = bootrescue("diagnose", "--image", str(machine.disk), code=0)
    entries = document["result"]["systems"][0]["entries"]
    assert {entry["verdict"] for entry in entries} == {"boots"}
    assert document["result"]["systems"][0]["findings"] == []


@pytest.mark.parametrize("kind", SPINE_BREAKS)
@pytest.mark.parametrize("name", ["debian", "el7"])
def test_a_broken_machine_is_rolled_back_and_undone(name: str, kind: str, tmp_path: Path) -> None:
    machine, broken = broken_copy(name, kind, tmp_path)
    disk = str(machine.disk)
    paths = tuple(change.path for change in broken.changes)
    before = digests(machine, paths)

    failed = boot(machine.disk)
    assert not failed.reached
    assert any(text in failed.console for text in broken.console), failed.console[-3000:]

    found = bootrescue("diagnose", "--image", disk, code=1)["result"]["systems"][0]
    assert next(entry["verdict"] for entry in found["entries"] if entry["default"]) == "does-not-boot"
    assert RULE_OF_BREAK[kind] in {finding["rule"] for finding in found["findings"] if finding["severity"] == "fatal"}

    done = bootrescue("rollback", "--image", disk, "--yes", code=0)["result"]
    assert done["transaction"]["state"] == "committed"
    for proof in ("recheck", "grub_view", "fit"):
        assert done["verification"][proof]["outcome"] == "proved"
    again = boot(machine.disk)
    assert again.reached, again.console[-3000:]

    bootrescue("undo", "--image", disk, "--yes", code=0)
    assert digests(machine, paths) == before
    named = tuple(step["path"] for step in done["plan"]["steps"] if step["kind"] != "rebuild-module-index")
    for path, digest in digests(machine, named).items():
        assert digest in {step["before_sha256"] for step in done["plan"]["steps"] if step["path"] == path}


def test_the_boot_proof_agrees_with_the_lab(tmp_path: Path) -> None:
    """A stripped module: refused with the kernel's own line; rolled back with --prove: proved; the disk untouched."""
    machine, broken = broken_copy("el7", "strip", tmp_path)
    disk = str(machine.disk)
    digest = hashlib.sha256(machine.disk.read_bytes()).hexdigest()
    refused = bootrescue("verify", "--image", disk, "--prove", code=1)["result"]["verification"]["boot_proof"]
    assert refused["outcome"] == "failed"
    assert any(broken.console[0] in text for text in refused["evidence"])
    assert hashlib.sha256(machine.disk.read_bytes()).hexdigest() == digest

    done = bootrescue("rollback", "--image", disk, "--yes", "--prove", code=0)["result"]
    assert done["verification"]["boot_proof"]["outcome"] == "proved"


def test_an_entry_pointed_at_the_backup_boots(tmp_path: Path) -> None:
    """The image stays broken; GRUB's entry names the backup, which is copied to where GRUB reads."""
    machine, broken = broken_copy("el7", "truncate", tmp_path)
    disk = str(machine.disk)
    before = digests(machine, (machine.initrd, "/boot/grub2/grub.cfg"))
    done = bootrescue("rollback", "--image", disk, "--yes", "--remedy", "point-entry", code=0)["result"]
    assert [step["kind"] for step in done["plan"]["steps"]] == ["restore-image", "point-entry"]
    assert digests(machine, (machine.initrd,))[machine.initrd] == before[machine.initrd]
    assert boot(machine.disk).reached
    bootrescue("undo", "--image", disk, "--yes", code=0)
    assert digests(machine, tuple(before)) == before
    assert broken.backup


@pytest.mark.long
@pytest.mark.parametrize("name", ["debian", "el7"])
def test_a_stripped_file_system_module_is_rolled_back(name: str, tmp_path: Path) -> None:
    machine, broken = broken_copy(name, "strip-fs", tmp_path)
    failed = boot(machine.disk)
    assert not failed.reached
    assert any(text in failed.console for text in broken.console), failed.console[-3000:]
    bootrescue("rollback", "--image", str(machine.disk), "--yes", code=0)
    assert boot(machine.disk).reached


@pytest.mark.long
def test_systemd_is_a_witness_too(tmp_path: Path) -> None:
    machine = build("debian-systemd").copy_to(tmp_path / "disk.img")
    proof = bootrescue("verify", "--image", str(machine.disk), "--prove", code=0)["result"]["verification"][
        "boot_proof"
    ]
    assert proof["outcome"] == "proved"
    assert "systemd" in proof["evidence"][0]


@pytest.mark.long
def test_the_boot_proof_goes_by_uefi_where_the_target_does(tmp_path: Path) -> None:
    """Without its BIOS half a machine is one for UEFI: its loader is found on the ESP, and its entry boots."""
    machine = build("debian").copy_to(tmp_path / "disk.img")
    with installed_system(machine) as root:
        shutil.rmtree(root / "boot/grub/i386-pc")
    proof = bootrescue("verify", "--image", str(machine.disk), "--prove", code=0)["result"]["verification"][
        "boot_proof"
    ]
    assert proof["outcome"] == "proved"
    assert "UEFI" in proof["evidence"][0]

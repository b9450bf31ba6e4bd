"""The recheck tells every file that is not as it must be; QEMU's command line holds what a boot proof relies on."""

import hashlib
from itertools import pairwise
from pathlib import Path, PurePosixPath

import pytest

from bootrescue.errors import MachineLacksError
from bootrescue.host.confined import ConfinedRoot
from bootrescue.plan.model import ABSENT
from bootrescue.verification import machine as machine_module
from bootrescue.verification.machine import Bus, VirtualMachine, firmware, qemu_argv
from bootrescue.verification.model import Outcome, Proof, Verification
from bootrescue.verification.recheck import recheck

FILE, GONE = PurePosixPath("/boot/image"), PurePosixPath("/boot/gone")


def test_recheck(tmp_path: Path) -> None:
    (tmp_path / "boot").mkdir()
    (tmp_path / "boot/image").write_bytes(b"image")
    root = ConfinedRoot(path=tmp_path)
    expected = {FILE: hashlib.sha256(b"image").hexdigest(), GONE: ABSENT}
    assert recheck(root, expected).outcome is Outcome.PROVED
    (tmp_path / "boot/image").write_bytes(b"imagE")
    (tmp_path / "boot/gone").touch()
    failed = recheck(root, expected)
    assert failed.outcome is Outcome.FAILED
    assert [str(FILE) in failed.evidence[0], str(GONE) in failed.evidence[1]] == [True, True]
    (tmp_path / "boot/image").unlink()
    assert "absent" in recheck(root, expected).evidence[0]


@pytest.mark.parametrize("outcome", list(Outcome))
def test_what_was_asked_for_and_is_not_proved(outcome: Outcome) -> None:
    proved = Proof(outcome=Outcome.PROVED)
    one = Verification(fit=proved, boot_proof=Proof(outcome=outcome))
    assert one.unproved(boot=True) == (outcome is not Outcome.PROVED)
    assert one.unproved(boot=False) == (outcome is Outcome.FAILED)


@pytest.mark.parametrize("bus", list(Bus))
def test_qemu_argv(bus: Bus) -> None:
    argv = qemu_argv(VirtualMachine(disk=Path("/w/o.qcow2"), console=Path("/w/c"), witness=Path("/w/w"), bus=bus))
    pairs = set(pairwise(argv))
    assert ("-drive", "if=none,id=disk,format=qcow2,cache=unsafe,file=/w/o.qcow2") in pairs
    assert ("-accel", "tcg,thread=multi") in pairs
    assert {"-nodefaults", "-no-user-config", "-no-reboot"} <= set(argv)
    assert sum(argument.startswith("file,id=") for argument in argv) == 2
    assert argv.index("chardev:console") < argv.index("chardev:witness"), "the witness is the second serial port"
    assert not any("pflash" in argument for argument in argv)
    assert not any(argument.startswith(("user", "tap")) or argument == "-netdev" for argument in argv)


def test_uefi_firmware_is_read_only_and_its_variables_are_a_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, variables = tmp_path / "CODE.fd", tmp_path / "VARS.fd"
    monkeypatch.setattr(machine_module, "FIRMWARE", ((str(code), str(variables)),))
    with pytest.raises(MachineLacksError, match="firmware"):
        firmware()
    code.touch()
    variables.touch()
    own = tmp_path / "own.fd"
    made = VirtualMachine(disk=Path("/o"), console=Path("/c"), witness=Path("/w"), uefi=True, variables=own)
    flash = [argument for argument in qemu_argv(made) if "pflash" in argument]
    assert flash == [
        f"if=pflash,format=raw,readonly=on,file={code}",
        f"if=pflash,format=raw,file={own}",
    ]

"""What is frozen, and what never is."""

import fcntl
import signal
from pathlib import Path

import pytest

from bootrescue.host.settle import FIFREEZE, FITHAW, _freeze_and_thaw, settle


def test_what_this_machine_runs_from_is_never_frozen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def frozen(*_: object) -> int:
        pytest.fail("froze a file system that this machine uses")

    monkeypatch.setattr(fcntl, "ioctl", frozen)
    assert settle(Path("/")) is False
    assert settle(Path("/usr")) is False
    assert settle(tmp_path) is False


def test_signals_wait_while_a_file_system_is_frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []

    def stopped(_descriptor: int, number: int, _argument: int) -> int:
        calls.append(number)
        signal.raise_signal(signal.SIGINT)
        return 0

    monkeypatch.setattr(fcntl, "ioctl", stopped)
    with pytest.raises(KeyboardInterrupt):
        _freeze_and_thaw(0)
    assert calls == [FIFREEZE, FITHAW]

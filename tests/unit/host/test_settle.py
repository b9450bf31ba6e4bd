"""What is quiesced, and what never is."""

from pathlib import Path

import pytest

from bootrescue.host import settle as settling
from bootrescue.host.settle import settle


def test_what_this_machine_runs_from_is_only_flushed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def remounted(*_: object) -> None:
        pytest.fail("remounted a file system that this machine uses")

    monkeypatch.setattr(settling, "run", remounted)
    assert settle(Path("/")) is False
    assert settle(Path("/usr")) is False
    assert settle(tmp_path) is False

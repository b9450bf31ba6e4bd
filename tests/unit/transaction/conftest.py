"""A target and a host for tests of a transaction."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bootrescue.host.confined import ConfinedRoot
from bootrescue.host.host import Host
from tests.unit.transaction.world import build, use_fake_depmod, working_host


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    use_fake_depmod(monkeypatch)
    with working_host(tmp_path / "work") as made:
        yield made


@pytest.fixture
def root(tmp_path: Path) -> ConfinedRoot:
    return build(tmp_path / "root")

"""What holds for every test: a skip nobody expected fails the run, and a unit test starts no process."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import HealthCheck, settings

# The reasons for which a test may be skipped, word for word, and why each is right. A test that silently stops running
# proves nothing, so everything else fails the run.
EXPECTED_SKIPS: dict[str, str] = {}

# An example that takes five seconds hangs; one that takes 0.2 (Hypothesis's own limit) ran on a busy machine.
settings.register_profile(
    "bootrescue", deadline=5000, derandomize="CI" in os.environ, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("bootrescue")

UNIT_TESTS = Path(__file__).parent / "unit"
DOORS_OF_OS = ("system", "fork", "forkpty", "posix_spawn", "posix_spawnp")


class UnexpectedSkips:
    """Collects the skips that EXPECTED_SKIPS does not name, and fails the session for them."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Notes a skipped test; an expected failure is reported as a skip too, but is none."""
        if report.skipped and not hasattr(report, "wasxfail"):
            self._note(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Notes a file that skips itself while it is collected."""
        if report.skipped:
            self._note(report)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Turns success into failure; a session that failed already keeps its own code."""
        if self.lines and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Says which skips failed the run."""
        if self.lines:
            terminalreporter.section("skips that nobody expected: they fail the run", red=True)
            for line in self.lines:
                terminalreporter.line(line)

    def _note(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        # A skip is reported as (file, line, "Skipped: reason").
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reason = reason.removeprefix("Skipped: ")
        if reason not in EXPECTED_SKIPS:
            self.lines.append(f"{report.nodeid}: {reason}")


def pytest_configure(config: pytest.Config) -> None:
    """Watches the whole session."""
    config.pluginmanager.register(UnexpectedSkips())


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Fails, and does not skip, what this machine cannot run."""
    if item.get_closest_marker("root") is not None and os.geteuid() != 0:
        pytest.fail("this test needs root: run `sudo make test`", pytrace=False)
    if item.get_closest_marker("qemu") is not None and shutil.which("qemu-system-x86_64") is None:
        pytest.fail("this test needs qemu-system-x86_64: run `make setup`", pytrace=False)


@pytest.fixture(autouse=True)
def _no_process_in_unit_tests(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A unit test describes its machine with a fake host; one that starts a process tests this machine instead."""
    if not request.path.is_relative_to(UNIT_TESTS) or request.node.get_closest_marker("processes") is not None:
        yield
        return

    def refuse(*arguments: object, **_: object) -> NoReturn:
        pytest.fail(f"a unit test starts a process: {arguments[1:]!r}; mark it `processes` if it must")

    # On the class, not in the module: that also stops code which imported Popen by name, and asyncio.
    monkeypatch.setattr(subprocess.Popen, "__init__", refuse)
    for door in DOORS_OF_OS:
        monkeypatch.setattr(os, door, refuse)
    yield

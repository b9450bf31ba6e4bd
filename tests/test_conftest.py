"""What conftest.py promises, seen from outside: each promise is broken on purpose in a run of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

EMPTY_LIST = "EXPECTED_SKIPS: dict[str, str] = {"
CONFTEST = Path(__file__).with_name("conftest.py")
SETTINGS = """
[pytest]
addopts = --strict-markers --strict-config --import-mode=importlib -ra -p no:cacheprovider
markers =
    root: needs root
    qemu: boots a machine
    processes: may start processes
"""


def run_tests(directory: Path, files: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Runs pytest on these files, with this tree's conftest.py beside them."""
    (directory / "pytest.ini").write_text(SETTINGS, encoding="utf-8")
    (directory / "conftest.py").write_bytes(CONFTEST.read_bytes())
    for name, text in files.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "--color=no", str(directory)]
    return subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False, timeout=120)


PASSES = "def test_passes():\n    pass\n"
FAILS_AS_EXPECTED = "import pytest\n\n\n@pytest.mark.xfail(strict=True)\ndef test_fails():\n    assert False\n"


@pytest.mark.parametrize(
    "skipping",
    [
        "import pytest\n\n\ndef test_skips():\n    pytest.skip('no such tool')\n",
        "import pytest\n\n\n@pytest.mark.skipif(True, reason='no such tool')\ndef test_skips():\n    pass\n",
        "import pytest\n\npytest.skip('no such tool', allow_module_level=True)\n",
    ],
)
def test_a_skip_that_nobody_expected_fails_the_run(tmp_path: Path, skipping: str) -> None:
    run = run_tests(tmp_path, {"test_a.py": PASSES, "test_b.py": skipping})
    assert run.returncode == 1
    assert "skips that nobody expected" in run.stdout
    assert "no such tool" in run.stdout.split("skips that nobody expected")[1]


def test_an_expected_failure_and_an_expected_skip_pass(tmp_path: Path) -> None:
    listing = CONFTEST.read_text(encoding="utf-8").replace(EMPTY_LIST, f'{EMPTY_LIST}"listed": "", ')
    listed = "import pytest\n\n\ndef test_skips():\n    pytest.skip('listed')\n"
    run = run_tests(tmp_path, {"test_a.py": PASSES + FAILS_AS_EXPECTED, "test_b.py": listed, "conftest.py": listing})
    assert run.returncode == 0, run.stdout
    assert "1 passed, 1 skipped, 1 xfailed" in run.stdout


STARTS = """
import asyncio
import os
import subprocess
from subprocess import Popen

import pytest


def test_run():
    subprocess.run(["true"])


def test_popen_by_name():
    Popen(["true"])


def test_swallowed():
    try:
        subprocess.check_output(["true"])
    except Exception:
        pass


def test_system():
    os.system("true")


def test_asyncio():
    asyncio.run(asyncio.create_subprocess_exec("true"))


@pytest.mark.processes
def test_allowed():
    subprocess.run(["true"], check=True)
"""


def test_a_unit_test_starts_no_process_unless_marked(tmp_path: Path) -> None:
    run = run_tests(tmp_path, {"unit/test_starts.py": STARTS, "system/test_starts.py": STARTS})
    failed = {line.split()[1] for line in run.stdout.splitlines() if line.startswith("FAILED")}
    names = ("run", "popen_by_name", "swallowed", "system", "asyncio")
    assert failed == {f"unit/test_starts.py::test_{name}" for name in names}, run.stdout
    assert "a unit test starts a process" in run.stdout


NEEDS = """
import os
import shutil

import pytest


@pytest.fixture(scope="session", autouse=True)
def nobody():
    {make_needy}


def test_first():
    pass


@pytest.mark.{marker}
def test_needy():
    pass
"""


@pytest.mark.parametrize(
    ("marker", "make_needy", "message"),
    [
        ("root", "os.geteuid = lambda: 1000", "this test needs root"),
        ("qemu", "shutil.which = lambda name: None", "this test needs qemu-system-x86_64"),
    ],
)
def test_what_the_machine_cannot_run_fails_the_run(tmp_path: Path, marker: str, make_needy: str, message: str) -> None:
    run = run_tests(tmp_path, {"test_a.py": NEEDS.format(marker=marker, make_needy=make_needy)})
    assert run.returncode == 1
    assert "1 passed, 1 error" in run.stdout
    assert message in run.stdout

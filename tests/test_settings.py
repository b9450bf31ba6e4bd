"""The settings in pyproject.toml are on: each tool complains about what it must complain about."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

TREE = Path(__file__).parent.parent
PYPROJECT = TREE / "pyproject.toml"

BRANCHES = "".join(f"    if x == {number}:\n        print({number})\n" for number in range(11))
RUFF_MUST_REPORT = {
    "TID251": "import subprocess\n\nsubprocess.run(['true'])\n",
    "TID252": "from . import errors\n",
    "C901": f"def f(x: int) -> None:\n{BRANCHES}",
    "PLR0912": f"def f(x: int) -> None:\n{BRANCHES}",
    "PLR0913": "def f(a: int, b: int, c: int, d: int, e: int, g: int, h: int) -> None:\n    del a, b, c, d, e, g, h\n",
    "T201": "print(1)\n",
    "BLE001": "try:\n    x = 1\nexcept Exception:\n    x = 2\n",
    "S110": "try:\n    x = 1\nexcept Exception:\n    pass\n",
    "D103": "def f() -> None:\n    return\n",
    "ANN001": "def f(x) -> None:\n    del x\n",
    "RUF100": "x = 1  # noqa: F401\n",
    "PGH004": "x = 1  # noqa\n",
}


@pytest.mark.parametrize("code", RUFF_MUST_REPORT)
def test_ruff_reports(code: str) -> None:
    command = [sys.executable, "-m", "ruff", "check", "--no-cache", "--output-format=concise"]
    run = subprocess.run(
        [*command, "--stdin-filename=bootrescue/example.py", "-"],
        cwd=TREE,
        input=RUFF_MUST_REPORT[code],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1
    assert re.search(rf": {code} ", run.stdout), run.stdout


# One line per mypy setting: the comment is the code that it must be reported under.
MYPY_MUST_REPORT = """
from enum import StrEnum
from typing import assert_never


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Plain:
    pass


def untyped(x):  # no-untyped-def
    return x


def forgets_a_case(colour: Colour) -> int:
    number = 0
    match colour:  # exhaustive-match
        case Colour.RED:
            number = 1
    return number


def is_never_reached(number: int) -> int:
    if isinstance(number, int):
        return 1
    return 2  # unreachable


def may_be_unset(number: int) -> int:
    if number:
        result = 1
    return result  # possibly-undefined


def asks_twice(plain: Plain) -> bool:
    return isinstance(plain, Plain) and bool(1)  # redundant-expr


def is_always_true(plain: Plain) -> int:
    if plain:  # truthy-bool
        return 1
    return 2


ignored: int = "x"  # type: ignore  # ignore-without-code
compared = 1 == "1"  # comparison-overlap
generic: list = []  # type-arg
"""


def test_mypy_reports(tmp_path: Path) -> None:
    example = tmp_path / "example.py"
    example.write_text(MYPY_MUST_REPORT, encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-m", "mypy", f"--config-file={PYPROJECT}", f"--cache-dir={tmp_path / 'cache'}", example],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    reported = {(int(line), code) for line, code in re.findall(r"example\.py:(\d+): error: .*\[(.+)\]", run.stdout)}
    expected = {
        (number, code.group(1))
        for number, line in enumerate(MYPY_MUST_REPORT.splitlines(), start=1)
        if (code := re.search(r"# ([a-z-]+)$", line))
    }
    assert expected - reported == set(), run.stdout


PYTEST_MUST_FAIL = {
    "an unknown marker": ("@pytest.mark.slwo\ndef test_x():\n    pass\n", "'slwo' not found in `markers`"),
    "an expected failure that passes": ("@pytest.mark.xfail\ndef test_x():\n    pass\n", "XPASS(strict)"),
    "a warning": ("def test_x():\n    warnings.warn('old')\n", "UserWarning: old"),
}


@pytest.mark.parametrize("mistake", PYTEST_MUST_FAIL)
def test_pytest_fails_on(mistake: str, tmp_path: Path) -> None:
    text, message = PYTEST_MUST_FAIL[mistake]
    (tmp_path / "pyproject.toml").write_bytes(PYPROJECT.read_bytes())
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_example.py").write_text(
        f"import warnings\n\nimport pytest\n\n\n{text}", encoding="utf-8"
    )
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--color=no"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode != 0
    assert message in run.stdout + run.stderr

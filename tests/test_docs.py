"""The reference says what the code says."""

import inspect
import re
from pathlib import Path

from bootrescue import errors
from bootrescue.host.tools import PACKAGE_OF

REFERENCE = Path(__file__).parent.parent / "docs" / "reference"


def exit_code_rows() -> dict[int, tuple[str, str]]:
    """The table of exit-codes.md: code -> name and meaning."""
    text = (REFERENCE / "exit-codes.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| `(\w+)` \| (.+) \|$", text, flags=re.MULTILINE)
    return {int(code): (name, meaning) for code, name, meaning in rows}


def test_every_exit_code_is_documented_under_its_name() -> None:
    documented = [(code, name) for code, (name, _) in exit_code_rows().items()]
    assert documented == [(code.value, code.name) for code in errors.ExitCode]


def test_an_exit_code_means_what_its_error_says() -> None:
    rows = exit_code_rows()
    kinds = [
        kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, errors.BootRescueError)
    ]
    for kind in kinds:
        if kind is not errors.BootRescueError:
            assert rows[kind.exit_code][1].startswith(inspect.cleandoc(kind.__doc__ or "no docstring")), kind


def system_packages() -> dict[str, str]:
    """The system packages of .ci/packages, by every name they go by, and the reason for each."""
    text = (REFERENCE.parent.parent / ".ci" / "packages").read_text(encoding="utf-8")
    lines = [line.partition("#") for line in text.splitlines() if line and not line.startswith("#")]
    return {name.strip(): reason.strip() for names, _, reason in lines for name in names.split("|")}


def test_every_system_package_has_its_reason() -> None:
    assert [name for name, reason in system_packages().items() if not reason] == []


def test_setup_installs_what_the_program_says_it_needs() -> None:
    needed = {name for packages in PACKAGE_OF.values() for name in packages.split(" or ")}
    assert needed <= set(system_packages())

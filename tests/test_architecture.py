"""The rules of the house, kept by the machine; and each rule's own proof that it catches what it forbids."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.machine_calls import machine_calls

TREE = Path(__file__).parent.parent
PACKAGE = TREE / "bootrescue"
SETTINGS = tomllib.loads((TREE / "pyproject.toml").read_text(encoding="utf-8"))

MOST_LINES_IN_A_FILE = 400
MOST_LINES_IN_A_FUNCTION = 50
SHORT_FUNCTION = 30
SHARE_OF_SHORT_FUNCTIONS = 0.9
LARGEST_BINARY_BYTES = 100_000

# In two pieces, so that this file passes its own rule.
REGISTRY_HOSTS = tuple(
    f"{name}.{domain}"
    for name, domain in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("registry.npmjs", "org"),
        ("crates", "io"),
        ("rubygems", "org"),
        ("proxy.golang", "org"),
        ("deb.debian", "org"),
        ("security.debian", "org"),
        ("ftp.debian", "org"),
        ("snapshot.debian", "org"),
        ("archive.ubuntu", "com"),
        ("security.ubuntu", "com"),
        ("deb.nodesource", "com"),
    )
)
REQUIREMENT_FILES = ("requirements-build.txt", "requirements-dev.txt", "requirements.txt")


def sources() -> list[Path]:
    """Every Python file of the program."""
    return sorted(PACKAGE.rglob("*.py"))


def module_name(file: Path, root: Path = TREE) -> str:
    """The dotted name a file is imported by."""
    return ".".join(file.relative_to(root).with_suffix("").parts).removesuffix(".__init__")


def committed_files() -> list[Path]:
    """What git has, or would take with `git add`: a file is judged before it is committed."""
    # The tree may belong to another user than the one who tests it.
    git = ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(git, cwd=TREE, capture_output=True, check=True).stdout.split(b"\0")
    files = (TREE / os.fsdecode(name) for name in names if name)
    return sorted(file for file in files if file.is_file() and not file.is_symlink())


# --- imports -------------------------------------------------------------------------------------------------------


def lint_imports(tree: Path) -> dict[str, bool]:
    """Runs import-linter on a tree: each contract's name, and whether it is kept."""
    run = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as main; main()"],
        cwd=tree,
        env=os.environ | {"COLUMNS": "200", "NO_COLOR": "1", "PYTHONPATH": os.fspath(tree)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    verdicts = re.findall(r"^(.+?) (KEPT|BROKEN)\b", run.stdout, flags=re.MULTILINE)
    assert verdicts, run.stdout + run.stderr
    result = {name: verdict == "KEPT" for name, verdict in verdicts}
    assert (run.returncode == 0) == all(result.values()), run.stdout
    return result


@pytest.fixture
def copied_tree(tmp_path: Path) -> Path:
    """The program's sources and settings, to be broken."""
    shutil.copytree(PACKAGE, tmp_path / "bootrescue", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(TREE / "pyproject.toml", tmp_path)
    return tmp_path


HOUSE = "The house: imports point down"
TEXTUAL = "Only the text interface knows Textual"
RICH = "Only the faces know Rich"
PROCESSES = "Only host starts processes"
PURE = "Pure rooms never reach the machine"
MODELS = "Models reach neither os nor subprocess"

# What is added to which file, and which contract it breaks.
VIOLATIONS = {
    "a lower room imports a higher one": (HOUSE, {"systems/broken.py": "import bootrescue.operations"}),
    "two rooms on one floor import each other": (HOUSE, {"host/broken.py": "import bootrescue.formats"}),
    "a room that is not in the plan of the house": (HOUSE, {"stray/__init__.py": ""}),
    "a command imports Textual": (TEXTUAL, {"cli/broken.py": "from textual.app import App"}),
    "an operation prints with Rich": (RICH, {"operations/broken.py": "import rich.console"}),
    "the report is made with Rich": (RICH, {"report/broken.py": "from rich import table"}),
    "a room above host starts a process": (PROCESSES, {"verification/broken.py": "import subprocess"}),
    "a function starts a process": (PROCESSES, {"devices/broken.py": "def f():\n    from subprocess import run"}),
    "a plan asks the machine": (PURE, {"plan/broken.py": "from bootrescue.host import runner"}),
    "a rule asks another that asks the machine": (
        PURE,
        {"findings/broken.py": "import bootrescue.systems.broken", "systems/broken.py": "import bootrescue.host"},
    ),
    "a model imports os": (MODELS, {"plan/model.py": "import os"}),
    "a model reaches subprocess by another module": (
        MODELS,
        {"boot/model.py": "import bootrescue.boot.broken", "boot/broken.py": "import subprocess"},
    ),
}


def test_the_import_contracts_are_kept() -> None:
    verdicts = lint_imports(TREE)
    assert sorted(verdicts) == sorted(contract["name"] for contract in SETTINGS["tool"]["importlinter"]["contracts"])
    assert all(verdicts.values()), verdicts


@pytest.mark.parametrize("violation", VIOLATIONS)
def test_an_import_contract_catches(violation: str, copied_tree: Path) -> None:
    contract, additions = VIOLATIONS[violation]
    for name, text in additions.items():
        file = copied_tree / "bootrescue" / name
        file.parent.mkdir(exist_ok=True)
        with file.open("a", encoding="utf-8") as stream:
            stream.write(f"\n{text}\n")
    assert not lint_imports(copied_tree)[contract]


def test_every_import_contract_was_seen_to_fail() -> None:
    names = {contract["name"] for contract in SETTINGS["tool"]["importlinter"]["contracts"]}
    assert {contract for contract, _ in VIOLATIONS.values()} == names


# Each module is imported by a child forked from one interpreter: nothing of ours that an earlier one imported is there,
# and no interpreter starts more than once. What all of them need from elsewhere is loaded before: it takes longest.
FRESH_IMPORTS = """
import argparse, bz2, ctypes, dataclasses, hashlib, json, lzma, msgspec, os, pathlib, re, subprocess, sys, tempfile
assert "textual" not in sys.modules
found = {}
for module in json.load(sys.stdin):
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            __import__(module)
            said = "imports textual" if "textual" in sys.modules else ""
        except BaseException as error:
            said = f"{type(error).__name__}: {error}"
        os.write(writer, said.encode()[:4096])
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as stream:
        found[module] = stream.read()
    os.waitpid(child, 0)
json.dump({module: said for module, said in found.items() if said}, sys.stdout)
"""


def fresh_import_failures(tree: Path, modules: list[str]) -> dict[str, str]:
    """The modules that cannot be imported alone, or bring Textual in, and what they said."""
    run = subprocess.run(
        [sys.executable, "-c", FRESH_IMPORTS],
        cwd=tree,
        env=os.environ | {"PYTHONPATH": os.fspath(tree)},
        input=json.dumps(modules),
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    said: dict[str, str] = json.loads(run.stdout)
    return said


def headless_modules(tree: Path) -> list[str]:
    """All modules but the text interface's."""
    names = [module_name(file, tree) for file in sorted((tree / "bootrescue").rglob("*.py"))]
    return [name for name in names if name.split(".")[1:2] != ["tui"] and not name.endswith("__main__")]


def test_each_headless_module_imports_alone_and_without_textual() -> None:
    assert fresh_import_failures(TREE, headless_modules(TREE)) == {}


def test_a_module_that_brings_textual_in_or_cannot_be_imported_is_reported(tmp_path: Path) -> None:
    package = tmp_path / "bootrescue"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "fine.py").write_text("import json\n", encoding="utf-8")
    (package / "hidden.py").write_text("import bootrescue.loud\n", encoding="utf-8")
    (package / "loud.py").write_text("import textual\n", encoding="utf-8")
    (package / "torn.py").write_text("import bootrescue.missing\n", encoding="utf-8")
    failures = fresh_import_failures(tmp_path, headless_modules(tmp_path))
    assert sorted(failures) == ["bootrescue.hidden", "bootrescue.loud", "bootrescue.torn"]


# --- calls and sizes -----------------------------------------------------------------------------------------------


def test_files_are_changed_and_processes_started_under_host_only() -> None:
    found = [
        str(call)
        for file in sources()
        if not file.is_relative_to(PACKAGE / "host")
        for call in machine_calls(file.read_text(encoding="utf-8"), os.fspath(file.relative_to(TREE)))
    ]
    assert found == []


def function_lengths(source: str) -> Iterator[tuple[str, int]]:
    """Each function's name and its lines, from `def` to the last."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
            yield node.name, node.end_lineno - node.lineno + 1


def size_complaints(files: dict[str, str]) -> list[str]:
    """What is too long in these files (name -> text)."""
    long_files = [
        f"{name}: {count} lines"
        for name, text in files.items()
        if (count := len(text.splitlines())) > MOST_LINES_IN_A_FILE
    ]
    functions = [(name, *found) for name, text in files.items() for found in function_lengths(text)]
    long_functions = [
        f"{name}: {function} has {count} lines"
        for name, function, count in functions
        if count > MOST_LINES_IN_A_FUNCTION
    ]
    short = sum(1 for _, _, count in functions if count < SHORT_FUNCTION)
    too_few = short < SHARE_OF_SHORT_FUNCTIONS * len(functions)
    share = [f"only {short} of {len(functions)} functions are under {SHORT_FUNCTION} lines"] if too_few else []
    return long_files + long_functions + share


def test_files_and_functions_are_short() -> None:
    texts = {os.fspath(file.relative_to(TREE)): file.read_text(encoding="utf-8") for file in sources()}
    assert size_complaints(texts) == []


def function_of(lines: int) -> str:
    """The text of a function with so many lines."""
    return "def f():\n" + "    x = 1\n" * (lines - 1)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("x = 1\n" * (MOST_LINES_IN_A_FILE + 1), "a.py: 401 lines"),
        (function_of(MOST_LINES_IN_A_FUNCTION + 1) + function_of(2) * 9, "a.py: f has 51 lines"),
        (function_of(SHORT_FUNCTION) * 2 + function_of(2) * 8, "only 8 of 10 functions are under 30 lines"),
    ],
)
def test_what_is_too_long_is_reported(text: str, complaint: str) -> None:
    assert size_complaints({"a.py": text}) == [complaint]


def test_what_is_just_short_enough_is_not_reported() -> None:
    just = function_of(MOST_LINES_IN_A_FUNCTION) + function_of(SHORT_FUNCTION - 1) * 9
    assert size_complaints({"a.py": just, "b.py": "x = 1\n" * MOST_LINES_IN_A_FILE}) == []


# --- what is committed ---------------------------------------------------------------------------------------------


def named_registries(data: bytes) -> list[str]:
    """The registry hosts that a file names."""
    return [host for host in REGISTRY_HOSTS if host.encode() in data.lower()]


def is_large_binary(data: bytes) -> bool:
    """Whether a file is large and no text: such files are built by code, not committed."""
    if len(data) <= LARGEST_BINARY_BYTES:
        return False
    try:
        return "\0" in data.decode()
    except UnicodeDecodeError:
        return True


def committed_where(condition: Callable[[bytes], object]) -> list[str]:
    """The committed files whose bytes meet a condition."""
    return [os.fspath(file.relative_to(TREE)) for file in committed_files() if condition(file.read_bytes())]


def test_no_committed_file_names_a_package_registry() -> None:
    assert committed_where(named_registries) == []


def test_no_large_binary_is_committed() -> None:
    assert committed_where(is_large_binary) == []


def test_what_must_not_be_committed_is_recognised() -> None:
    assert named_registries(b"--index-url https://" + REGISTRY_HOSTS[0].upper().encode()) == [REGISTRY_HOSTS[0]]
    assert named_registries(b"see the package index") == []
    assert is_large_binary(b"\0" * (LARGEST_BINARY_BYTES + 1))
    assert is_large_binary(b"\xff" * (LARGEST_BINARY_BYTES + 1))
    assert not is_large_binary(b"\0" * LARGEST_BINARY_BYTES)
    assert not is_large_binary(b"text\n" * LARGEST_BINARY_BYTES)


# --- dependencies --------------------------------------------------------------------------------------------------


def declared_dependencies() -> set[str]:
    """The names in pyproject.toml, without versions."""
    project = SETTINGS["project"]
    lines = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    return {re.split(r"[^A-Za-z0-9._-]", line, maxsplit=1)[0] for line in lines}


def unargued(dependencies: set[str], text: str) -> set[str]:
    """The dependencies that no row of the document's tables begins with."""
    return dependencies - set(re.findall(r"^\| `([^`]+)`", text, flags=re.MULTILINE))


def requirement_complaints(text: str) -> list[str]:
    """The requirements without a hash or a pinned version, and the lines that say where to fetch from."""
    joined = [line for line in text.replace("\\\n", " ").splitlines() if line and not line.startswith((" ", "#"))]
    return [
        line.split(" ")[0]
        for line in joined
        if line.startswith("-") or "/" in line or not re.search(r"==\S+\s.*--hash=sha256:[0-9a-f]{64}", line)
    ]


def test_every_dependency_is_argued() -> None:
    text = (TREE / "docs/dependencies.md").read_text(encoding="utf-8")
    assert unargued(declared_dependencies(), text) == set()


def test_a_dependency_without_an_argument_is_reported() -> None:
    assert unargued({"textual", "requests"}, "| `textual` | draws |\nand requests is `requests`") == {"requests"}


@pytest.mark.parametrize("name", REQUIREMENT_FILES)
def test_requirements_are_pinned_by_hash_and_name_no_source(name: str) -> None:
    text = (TREE / name).read_text(encoding="utf-8")
    assert requirement_complaints(text) == []
    assert not re.search(r"\w+://|--(index|extra|find|trusted)", text)


def test_pinned_requirements_hold_what_is_declared() -> None:
    pinned = set(
        re.findall(r"^([a-z0-9-]+)==", (TREE / "requirements-dev.txt").read_text(encoding="utf-8"), re.MULTILINE)
    )
    assert declared_dependencies() <= pinned


@pytest.mark.parametrize(
    "line",
    [
        "textual==8.2.8",
        "textual>=8 --hash=sha256:" + "0" * 64,
        "textual @ file:///wheels/textual.whl --hash=sha256:" + "0" * 64,
        "--find-links wheels",
    ],
)
def test_a_loose_requirement_is_reported(line: str) -> None:
    good = f"rich==15.0.0 \\\n    --hash=sha256:{'0' * 64}\n    # via textual\n"
    assert requirement_complaints(good) == []
    assert requirement_complaints(good + line + "\n") == [line.split(" ", maxsplit=1)[0]]

"""The command line: what was not understood, what failed, and how it is told."""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bootrescue.cli import diagnostics, image
from bootrescue.cli.main import COMMANDS, main
from bootrescue.errors import ExitCode
from bootrescue.host.host import Progress
from tests.chain_builders import BACKUP, ImageRecipe, Machine, driver, drivers
from tests.chain_builders import image as image_bytes

BROKEN = Machine(
    image=image_bytes(ImageRecipe(modules=drivers(i40e=driver("i40e", stripped=True)))),
    files={BACKUP: image_bytes(ImageRecipe(salt=1))},
)
Capture = pytest.CaptureFixture[str]
TREE = Path(__file__).parents[3]


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A machine as a directory, looked at by somebody who is not root."""
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    return str(BROKEN.write_to(tmp_path / "machine"))


@pytest.mark.parametrize("argv", [[], ["--help"], ["-h"], ["help"]])
def test_help_is_data(argv: list[str], capsys: Capture) -> None:
    assert main(argv) == ExitCode.DONE
    told = capsys.readouterr()
    assert told.err == ""
    assert all(f"  {command} " in told.out for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command: str, capsys: Capture) -> None:
    assert main([command, "--help"]) == ExitCode.DONE
    text = capsys.readouterr().out
    assert f"example: bootrescue {command} " in " ".join(text.split())
    assert "--json" in text


def test_a_mistyped_command_gets_a_suggestion(capsys: Capture) -> None:
    assert main(["diagnos"]) == ExitCode.USAGE
    assert capsys.readouterr().err.splitlines() == [
        "bootrescue diagnos: there is no command 'diagnos'",
        "hint: did you mean: bootrescue diagnose",
    ]


def test_an_unlike_command_gets_the_list(capsys: Capture) -> None:
    assert main(["xyzzy\x1b[2J"]) == ExitCode.USAGE
    told = capsys.readouterr().err
    assert "bootrescue --help" in told
    assert "\x1b" not in told


@pytest.mark.parametrize(
    "argv",
    [
        ["diagnose", "--nonsense"],
        ["diagnose", "--disk"],
        ["diagnose", "--imag", "x"],
        ["plan", "--remedy", "pray"],
        ["image", "burn", "x"],
        ["apply"],
        ["schema", "weather"],
        ["diagnose", "--root", "/", "--image", "x"],
        ["entries", "show"],
    ],
)
def test_a_wrong_command_line_is_one_line_and_a_hint(argv: list[str], capsys: Capture) -> None:
    assert main(argv) == ExitCode.USAGE
    told = capsys.readouterr()
    message, hint = told.err.splitlines()
    assert message.startswith(f"bootrescue {argv[0]}: ")
    assert hint.startswith("hint: ")
    assert told.out == ""


def test_with_json_a_wrong_command_line_is_one_document_too(capsys: Capture) -> None:
    assert main(["diagnose", "--nonsense", "--json"]) == ExitCode.USAGE
    document = json.loads(capsys.readouterr().out)
    (error,) = document["errors"]
    assert (document["ok"], document["result"], error["exit_code"]) == (False, {}, 2)


@pytest.mark.parametrize("command", ["scan", "diagnose", "backups", "plan", "history", "verify"])
def test_disks_without_root_are_refused_with_what_is_missing(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    disk = tmp_path / "disk.img"
    disk.write_bytes(bytes(1 << 20))
    assert main([command, "--image", str(disk), "--json"]) == ExitCode.MACHINE_LACKS
    told = capsys.readouterr()
    assert "root" in told.err
    assert json.loads(told.out)["errors"][0]["exit_code"] == 7


@pytest.mark.parametrize("argv", [["scan"], ["backups"], ["plan"], ["entries", "list"], ["history"]])
def test_a_directory_needs_no_root(argv: list[str], directory: str, capsys: Capture) -> None:
    assert main([*argv, "--root", directory]) == ExitCode.DONE
    told = capsys.readouterr()
    assert told.out
    assert told.err == ""


def test_a_directory_is_diagnosed_without_root(directory: str, capsys: Capture) -> None:
    assert main(["diagnose", "--root", directory]) == ExitCode.WRONG
    assert "WARNING module-refused" in capsys.readouterr().out


def test_looking_at_a_directory_writes_nothing(directory: str) -> None:
    before = {path: path.read_bytes() for path in Path(directory).rglob("*") if path.is_file()}
    for argv in (["scan"], ["backups"], ["diagnose"], ["plan"], ["entries", "list"], ["history"]):
        main([*argv, "--root", directory])
    assert {path: path.read_bytes() for path in Path(directory).rglob("*") if path.is_file()} == before


def test_a_directory_without_a_system_is_bad_input(tmp_path: Path, capsys: Capture) -> None:
    assert main(["diagnose", "--root", str(tmp_path)]) == ExitCode.BAD_INPUT
    assert "holds no installed system" in capsys.readouterr().err


def test_a_plan_is_written_and_can_be_read_back(directory: str, tmp_path: Path, capsys: Capture) -> None:
    from bootrescue.plan.plan_file import parse_plan  # noqa: PLC0415 -- only here

    file = tmp_path / "plan.toml"
    assert main(["plan", "--root", directory, "--to", BACKUP, "-o", str(file), "--json"]) == ExitCode.DONE
    told = capsys.readouterr()
    document = json.loads(told.out)
    assert parse_plan(file.read_bytes(), where="x").id == document["result"]["plan"]["id"]
    assert f"bootrescue apply {file}" in told.err


@pytest.mark.parametrize(
    ("content", "words"), [(b"\xff", "is not TOML"), (b"schema = 1", "is no plan"), (None, "cannot be read")]
)
def test_a_bad_plan_file_is_bad_input(content: bytes | None, words: str, tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "plan.toml"
    if content is not None:
        file.write_bytes(content)
    assert main(["apply", str(file), "--yes"]) == ExitCode.BAD_INPUT
    assert words in capsys.readouterr().err


def test_an_image_that_is_cut_is_listed_and_is_bad_input(tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "cut.img"
    file.write_bytes(image_bytes()[:-2000])
    assert main(["image", "list", str(file)]) == ExitCode.BAD_INPUT
    told = capsys.readouterr()
    assert "kernel/x86/microcode/GenuineIntel.bin" in told.out
    assert "is not complete" in told.err
    assert main(["image", "list", str(file), "--json"]) == ExitCode.BAD_INPUT
    document = json.loads(capsys.readouterr().out)
    assert (document["ok"], document["errors"][0]["exit_code"]) == (False, 8)


@pytest.mark.parametrize("action", ["list", "examine"])
def test_an_image_that_is_not_there_is_bad_input(action: str, tmp_path: Path, capsys: Capture) -> None:
    assert main(["image", action, str(tmp_path / "none")]) == ExitCode.BAD_INPUT
    assert "none" in capsys.readouterr().err


def failing(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Let `image` fail."""

    def fail(_args: object) -> None:
        raise error

    monkeypatch.setattr(image, "run", fail)


FAILURES = [
    (KeyboardInterrupt(), ExitCode.CANCELLED, "stopped"),
    (OSError(5, "Input/output error", "/dev/sdb"), ExitCode.MACHINE_LACKS, "/dev/sdb: Input/output error"),
    (MemoryError(), ExitCode.MACHINE_LACKS, "memory"),
    (RecursionError(), ExitCode.MACHINE_LACKS, "memory"),
    (ModuleNotFoundError("no", name="parted"), ExitCode.MACHINE_LACKS, "a Python package is missing: parted"),
    (ValueError("odd\x1b"), ExitCode.WRONG, "an error in bootrescue itself: ValueError: odd\\x1b"),
]


@pytest.mark.parametrize(("error", "code", "words"), FAILURES)
def test_a_failure_is_a_sentence_and_a_traceback_only_on_demand(
    error: BaseException, code: ExitCode, words: str, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    failing(monkeypatch, error)
    assert main(["image", "list", "x"]) == code
    told = capsys.readouterr().err
    assert words in told
    assert "Traceback" not in told
    assert main(["image", "list", "x", "--debug", "--json"]) == code
    told_all = capsys.readouterr()
    assert "Traceback" in told_all.err
    assert json.loads(told_all.out)["errors"][0]["exit_code"] == code


@pytest.mark.processes
@pytest.mark.parametrize("json_too", [[], ["--json"]])
def test_a_reader_who_went_away_is_no_failure(json_too: list[str], tmp_path: Path) -> None:
    file = tmp_path / "image"
    file.write_bytes(image_bytes())
    argv = [sys.executable, "-m", "bootrescue", "image", "list", str(file), *json_too]
    reading, writing = os.pipe()
    os.close(reading)
    told = subprocess.run(argv, stdout=writing, stderr=subprocess.PIPE, check=False, timeout=60, cwd=TREE)
    os.close(writing)
    assert (told.returncode, told.stderr) == (ExitCode.DONE, b"")


def test_progress_is_one_line_on_a_terminal_and_nothing_elsewhere(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    event = Progress(phase="reading \x1b[2J", done_bytes=1, total_bytes=2)
    args = diagnostics_args()
    diagnostics.progress(args)(event)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setattr(diagnostics, "REDRAW_SECONDS", -1e9)
    diagnostics.progress(args)(event)
    assert capsys.readouterr().err == "\rreading \\x1b[2J 50 % (0 s)\x1b[K"
    diagnostics.progress(diagnostics_args("--quiet"))(event)
    assert capsys.readouterr().err == ""


def diagnostics_args(*argv: str) -> argparse.Namespace:
    """Arguments of a command."""
    return image.make_parser().parse_args(["list", "x", *argv])

"""bootrescue as its user meets it: a process with arguments, an exit code, and two streams that are kept apart."""

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.lab.build import build
from tests.lab.machine import LabMachine

TREE = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a run of bootrescue left behind."""

    code: int
    stdout: str
    stderr: str

    @property
    def document(self) -> dict[str, Any]:
        """The one JSON document on standard output."""
        made: dict[str, Any] = json.loads(self.stdout)
        return made


# Nobody, who may yet read whatever lies here: the tree of these tests may be closed to others
AS_NOBODY = (
    "setpriv",
    "--reuid=65534",
    "--regid=65534",
    "--clear-groups",
    "--inh-caps=-all,+dac_read_search",
    "--ambient-caps=-all,+dac_read_search",
    "--",
)


def bootrescue(*words: str | Path, as_nobody: bool = False) -> Answer:
    """Run a command, as root or without any privilege, from a directory that is not the tree's."""
    command = [sys.executable, "-m", "bootrescue", *(os.fspath(word) for word in words)]
    done = subprocess.run(
        [*AS_NOBODY, *command] if as_nobody else command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        env=os.environ | {"PYTHONPATH": os.fspath(TREE), "PYTHONDONTWRITEBYTECODE": "1"},
        cwd="/",
        timeout=300,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return Answer(code=done.returncode, stdout=done.stdout, stderr=done.stderr)


def refusal(code: int, *words: str | Path, as_nobody: bool = False) -> dict[str, Any]:
    """Run a command that must fail, as text and as JSON; gives the error that the document tells.

    The message has the form `bootrescue COMMAND: where: what`, and the hint stands in a line of its own.
    """
    plain = bootrescue(*words, as_nobody=as_nobody)
    assert (plain.code, plain.stdout) == (code, ""), (plain.stdout, plain.stderr)
    told = bootrescue(*words, "--json", as_nobody=as_nobody)
    document = told.document
    assert (told.code, document["ok"], document["result"]) == (code, False, {})
    (error,) = document["errors"]
    lines = plain.stderr.splitlines()
    assert lines[0].startswith(f"bootrescue {words[0]}: ")
    assert error["what"] in lines[0]
    assert error["where"] in lines[0]
    assert error["exit_code"] == code
    assert bool(error["hint"]) == any(line == f"hint: {error['hint']}" for line in lines)
    return dict(error)


def lab_copy(name: str, directory: Path) -> LabMachine:
    """A real machine to break: a copy of the lab's disk."""
    return build(name).copy_to(directory / f"{name}.raw")


def content_digest(image: Path) -> str:
    """A SHA-256 over all that a sparse image holds: each run of data with its place, the holes passed over."""
    found = hashlib.sha256(str(image.stat().st_size).encode())
    descriptor = os.open(image, os.O_RDONLY)
    try:
        end = 0
        while (start := _data_after(descriptor, end)) is not None:
            end = os.lseek(descriptor, start, os.SEEK_HOLE)
            _add_run(found, descriptor, start, end)
    finally:
        os.close(descriptor)
    return found.hexdigest()


def _data_after(descriptor: int, offset: int) -> int | None:
    try:
        return os.lseek(descriptor, offset, os.SEEK_DATA)
    except OSError:
        return None


def _add_run(found: "hashlib._Hash", descriptor: int, start: int, end: int) -> None:
    """Blocks of NULs count as holes: whether they are stored is the file system's business."""
    for offset in range(start, end, 1 << 20):
        block = os.pread(descriptor, min(1 << 20, end - offset), offset)
        if block.strip(b"\0"):
            found.update(offset.to_bytes(8, "little") + block)

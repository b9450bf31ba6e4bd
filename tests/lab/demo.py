"""The story of bootrescue on a real disk, with timings: boots, is broken, is diagnosed, rolled back, proved, undone.

Run as `make demo`. The exit status is 0 only if every step went as told; everything that was said is in the report.
"""

import argparse
import hashlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from tests.lab.breaks import BREAKS, Break
from tests.lab.build import MACHINES, build
from tests.lab.commands import LabError
from tests.lab.machine import LabMachine, installed_system
from tests.lab.qemu import BootResult, boot

ROOT = Path(__file__).resolve().parents[2]
Result = TypeVar("Result")
PROGRAM = (sys.executable, "-m", "bootrescue")


class UnexpectedError(Exception):
    """The story did not go as told."""


@dataclass(slots=True)
class Story:
    """What was told so far, and how long each step took."""

    started: float = field(default_factory=time.monotonic)
    lines: list[str] = field(default_factory=list)
    step: int = 0

    def tell(self, text: str = "") -> None:
        """Print lines and keep them for the report."""
        print(text, flush=True)
        self.lines.append(text)

    def chapter(self, title: str, act: Callable[[], Result]) -> Result:
        """Carry one step out and say how long it took."""
        self.step += 1
        self.tell(f"\n{self.step}. {title}")
        before = time.monotonic()
        result = act()
        self.tell(f"   ({time.monotonic() - before:.1f} s)")
        return result

    def expect(self, text: str, *, holds: bool) -> None:
        """Say what was seen, or end the story."""
        self.tell(f"   {'ok' if holds else 'NOT AS TOLD'}: {text}")
        if not holds:
            raise UnexpectedError(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a bootrescue command said."""

    code: int
    output: str


def main() -> int:
    """Tell the story; 0 when all of it came true."""
    parser = argparse.ArgumentParser(prog="python -m tests.lab.demo", description=__doc__)
    parser.add_argument("--machine", choices=MACHINES, default="el7")
    parser.add_argument("--break", dest="kind", choices=tuple(BREAKS), default="strip")
    arguments = parser.parse_args()
    story = Story()
    report = ROOT / "report" / f"demo-{datetime.now(tz=UTC):%Y%m%dT%H%M%SZ}.txt"
    code = 0
    try:
        with tempfile.TemporaryDirectory(prefix="bootrescue-demo-") as directory:
            _tell(story, arguments.machine, arguments.kind, Path(directory))
    except (UnexpectedError, LabError) as error:
        story.tell(f"\nThe story did not go as told: {error}")
        code = 1
    story.tell(f"\nAll of it took {time.monotonic() - story.started:.0f} s.")
    report.parent.mkdir(exist_ok=True)
    report.write_text("\n".join(story.lines) + "\n", encoding="utf-8")
    print(f"The report is {report}")
    return code


def _tell(story: Story, name: str, kind: str, directory: Path) -> None:
    machine = story.chapter(f"A real disk: {name} (built, or taken from the cache)", lambda: build(name))
    disk = directory / "disk.img"
    copy = machine.copy_to(disk)
    story.chapter("It boots.", lambda: _expect_boot(story, disk))
    broken = story.chapter(f"A driver is injected: {kind}", lambda: _break(story, copy, kind))
    before = _digests(copy, broken)
    story.chapter("It no longer boots.", lambda: _expect_no_boot(story, disk, broken))
    story.chapter("bootrescue diagnose says why, writing nothing.", lambda: _diagnose(story, disk))
    story.chapter("bootrescue plan says what it would do.", lambda: _plan(story, disk))
    story.chapter("bootrescue rollback --prove puts it right and proves it.", lambda: _rollback(story, disk))
    story.chapter("It boots again.", lambda: _expect_boot(story, disk))
    story.chapter("bootrescue undo brings the broken bytes back.", lambda: _undo(story, copy, broken, before))


def _expect_boot(story: Story, disk: Path) -> BootResult:
    result = boot(disk)
    story.expect(f"the machine's init said this boot's token after {result.seconds:.0f} s", holds=result.reached)
    return result


def _break(story: Story, machine: LabMachine, kind: str) -> Break:
    broken = BREAKS[kind](machine)
    for change in broken.changes:
        story.tell(f"   {change.path}")
    story.tell(f"   the good image is left as {broken.backup}")
    return broken


def _expect_no_boot(story: Story, disk: Path, broken: Break) -> None:
    result = boot(disk)
    story.expect(f"no token within {result.seconds:.0f} s: {result.reason}", holds=not result.reached)
    said = [line.strip() for line in result.console.splitlines() if any(text in line for text in broken.console)]
    story.expect(f"the console says: {said[0] if said else 'nothing of the kind'}", holds=bool(said))


def _diagnose(story: Story, disk: Path) -> None:
    digest = _digest(disk)
    answer = _bootrescue(story, "diagnose", "--image", str(disk))
    story.expect("exit code 1: the entry that boots by default does not boot", holds=answer.code == 1)
    story.expect("the disk's SHA-256 is unchanged", holds=_digest(disk) == digest)


def _plan(story: Story, disk: Path) -> None:
    digest = _digest(disk)
    answer = _bootrescue(story, "plan", "--image", str(disk))
    story.expect(
        "exit code 0, and restore-image is in the plan", holds=answer.code == 0 and "restore-image" in answer.output
    )
    story.expect("the disk's SHA-256 is unchanged", holds=_digest(disk) == digest)


def _rollback(story: Story, disk: Path) -> None:
    answer = _bootrescue(story, "rollback", "--image", str(disk), "--yes", "--prove")
    story.expect("exit code 0: done, and proved by a boot in QEMU", holds=answer.code == 0)


def _undo(story: Story, machine: LabMachine, broken: Break, before: dict[str, str]) -> None:
    answer = _bootrescue(story, "undo", "--image", str(machine.disk), "--yes")
    story.expect("exit code 0", holds=answer.code == 0)
    story.expect(f"{len(before)} files have the broken bytes again", holds=_digests(machine, broken) == before)


def _bootrescue(story: Story, *arguments: str) -> Answer:
    shown = " ".join("DISK" if argument.startswith("/") else argument for argument in arguments)
    story.tell(f"   $ bootrescue {shown}")
    done = subprocess.run(
        [*PROGRAM, *arguments], capture_output=True, text=True, check=False, cwd=ROOT, stdin=subprocess.DEVNULL
    )
    for line in (done.stdout + done.stderr).splitlines():
        story.tell(f"   | {line}")
    return Answer(code=done.returncode, output=done.stdout)


def _digests(machine: LabMachine, broken: Break) -> dict[str, str]:
    with installed_system(machine) as root:
        return {
            change.path: hashlib.sha256((root / change.path.lstrip("/")).read_bytes()).hexdigest()
            for change in broken.changes
        }


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


if __name__ == "__main__":
    sys.exit(main())

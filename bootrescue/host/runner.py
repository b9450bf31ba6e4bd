"""Run a program: the one door to subprocess.

Argument lists only, a clean environment, a time limit always, and no standard input unless given.
"""

import subprocess  # noqa: TID251 -- this is the one door
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final

from bootrescue.errors import BootRescueError, ExitCode, MachineLacksError
from bootrescue.host.tools import SEARCH_PATH, find_tool

ENVIRONMENT: Final = {"PATH": SEARCH_PATH, "LC_ALL": "C.UTF-8", "HOME": "/nonexistent"}
# A healthy mount, probe or depmod ends within seconds; a disk that hangs must not hold the operator for longer.
DEFAULT_TIMEOUT_SECONDS: Final = 120.0
# How long a program that was asked to end may take before it is killed.
GRACE_SECONDS: Final = 5.0


class ToolError(BootRescueError):
    """A program ended with an exit code that its caller does not accept."""

    exit_code = ExitCode.MACHINE_LACKS


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """What a program left behind."""

    argv: tuple[str, ...]
    exit_code: int
    stdout: bytes
    stderr: str


def run(
    argv: Sequence[str],
    *,
    accept: Sequence[int] = (0,),
    stdin: bytes = b"",
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
) -> Completed:
    """Run a program to its end.

    Raises:
        MachineLacksError: the program is not installed, or it did not end in time.
        ToolError: its exit code is not among those accepted.
    """
    process = subprocess.Popen(  # noqa: S603 -- argument list, program found by name
        (find_tool(argv[0]), *argv[1:]),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=ENVIRONMENT,
    )
    try:
        stdout, stderr = process.communicate(stdin, timeout=timeout_seconds)
    except subprocess.TimeoutExpired as error:
        raise MachineLacksError(
            f"{argv[0]} did not end within {timeout_seconds:.0f} seconds",
            where=argv[-1],
            hint="a disk may be hanging: look at the kernel's messages with dmesg",
        ) from error
    finally:
        _end(process)
    completed = Completed(
        argv=tuple(argv),
        exit_code=process.returncode,
        stdout=stdout,
        stderr=stderr.decode(errors="replace").strip(),
    )
    if completed.exit_code not in accept:
        message = completed.stderr.splitlines()[0].strip() if completed.stderr else "no message"
        raise ToolError(f"{argv[0]} failed with exit code {completed.exit_code}: {message}", where=argv[-1])
    return completed


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A program at work; `poll` gives its exit code once it has ended."""

    process: subprocess.Popen[bytes]

    def poll(self) -> int | None:
        """The exit code, or None while it runs."""
        return self.process.poll()

    def wait(self, timeout_seconds: float) -> int | None:
        """Wait for the end, at most so long; None when it still runs."""
        try:
            return self.process.wait(timeout=timeout_seconds)
        except subprocess.TimeoutExpired:
            return None

    def error_text(self) -> str:
        """What it wrote to standard error; call it after the end only."""
        stream = self.process.stderr
        return stream.read().decode(errors="replace").strip() if stream is not None else ""


@contextmanager
def running(argv: Sequence[str]) -> Iterator[Running]:
    """Keep a program running for the length of a with block, then end it and wait for it.

    The kernel ends it too when bootrescue itself is killed (PR_SET_PDEATHSIG, by setpriv), so that no virtual
    machine outlives its proof.
    """
    command = (find_tool("setpriv"), "--pdeathsig", "KILL", "--", find_tool(argv[0]), *argv[1:])
    process = subprocess.Popen(  # noqa: S603 -- argument list, program found by name
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=ENVIRONMENT,
    )
    try:
        yield Running(process=process)
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a program that still runs. One that waits for a hanging disk cannot even be killed: it is left behind."""
    for stop in (process.terminate, process.kill):
        if process.poll() is None:
            stop()
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=GRACE_SECONDS)
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            stream.close()

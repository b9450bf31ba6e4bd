"""Runs the programs that the lab is made of, and says which one failed and what it said."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

CLEAN_ENVIRONMENT = {
    "LC_ALL": "C.UTF-8",
    "HOME": "/root",
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    # Package scripts ask nobody, and a kernel package makes no initramfs: the machine's builder does.
    "DEBIAN_FRONTEND": "noninteractive",
    "INITRD": "No",
}

LIMIT_SECONDS = 600.0


class LabError(Exception):
    """Something the lab needs did not work; the text is for the person who started it."""


def run(
    *argv: str | os.PathLike[str],
    stdin: bytes | None = None,
    directory: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> bytes:
    """Run a program to its end and return its standard output; any failure is a `LabError`."""
    words = [os.fspath(word) for word in argv]
    try:
        finished = subprocess.run(
            words,
            check=False,
            input=b"" if stdin is None else stdin,
            capture_output=True,
            cwd=directory,
            env={**CLEAN_ENVIRONMENT, **(environment or {})},
            timeout=LIMIT_SECONDS,
        )
    except FileNotFoundError as error:
        raise LabError(f"{words[0]} is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise LabError(f"{words[0]} did not end within {LIMIT_SECONDS:.0f} s: {words}") from error
    if finished.returncode:
        said = (finished.stderr or finished.stdout).decode(errors="replace").strip()
        raise LabError(f"{words} failed with status {finished.returncode}:\n{said[-4000:]}")
    return finished.stdout


def chroot(root: Path, *argv: str, environment: Mapping[str, str] | None = None) -> bytes:
    """Run a program of an installed system inside that system."""
    return run("chroot", root, *argv, environment=environment)

"""Reads the machine's own apt sources: the lab installs its systems from where the host gets its packages."""

import os
import shlex
from pathlib import Path

from tests.lab.commands import LabError

APT = Path("/etc/apt")
OVERRIDE = "BOOTRESCUE_LAB_APT_SOURCES"


def release_name() -> str:
    """Return the name of the release to install: the host's own, or the one that the given sources serve."""
    if override := os.environ.get(OVERRIDE):
        return _first_suite(Path(override).read_text(encoding="utf-8"))
    assignments = Path("/etc/os-release").read_text(encoding="utf-8").splitlines()
    values = dict(line.split("=", 1) for line in assignments if "=" in line)
    name = shlex.split(values.get("VERSION_CODENAME", ""))
    if values.get("ID") != "debian":
        raise LabError(f"the lab installs Debian: set {OVERRIDE} to a file with Debian's apt sources")
    if not name:
        raise LabError(f"/etc/os-release names no release: set {OVERRIDE} to a file with Debian's apt sources")
    return name[0]


def _first_suite(sources: str) -> str:
    for line in sources.splitlines():
        if line.lower().startswith("suites:"):
            return line.split()[1]
        words = line.partition("]")[2].split() if "[" in line else line.split()[1:]
        if line.startswith("deb ") and len(words) > 1:
            return words[1]
    raise LabError(f"the file that {OVERRIDE} names holds no apt source")


def apt_sources() -> str:
    """Return the host's sources for its own release; those of third parties are left out."""
    if override := os.environ.get(OVERRIDE):
        return Path(override).read_text(encoding="utf-8")
    release = release_name()
    parts = APT / "sources.list.d"
    deb822 = [path.read_text(encoding="utf-8") for path in sorted(parts.glob("*.sources"))]
    stanzas = [stanza for text in deb822 for stanza in _stanzas(text) if _serves(stanza, release)]
    if stanzas:
        return "\n\n".join(stanzas) + "\n"
    files = [APT / "sources.list", *sorted(parts.glob("*.list"))]
    lines = [line for path in files if path.exists() for line in path.read_text(encoding="utf-8").splitlines()]
    chosen = [line for line in lines if line.startswith("deb ") and _line_serves(line, release)]
    if not chosen:
        raise LabError(f"no apt source of this machine serves {release}: set {OVERRIDE}")
    return "\n".join(chosen) + "\n"


def _stanzas(text: str) -> list[str]:
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return [stanza.strip() for stanza in "\n".join(lines).split("\n\n") if stanza.strip()]


def _serves(stanza: str, release: str) -> bool:
    fields = {
        name.strip().lower(): value.split()
        for name, colon, value in (line.partition(":") for line in stanza.splitlines())
        if colon
    }
    wanted = "deb" in fields.get("types", []) and fields.get("enabled", ["yes"]) != ["no"]
    return wanted and any(_belongs(suite, release) for suite in fields.get("suites", []))


def _line_serves(line: str, release: str) -> bool:
    words = line.partition("]")[2].split() if "[" in line else line.split()[1:]
    return len(words) > 1 and _belongs(words[1], release)


def _belongs(suite: str, release: str) -> bool:
    return suite == release or (suite.startswith(f"{release}-") and not suite.endswith("-backports"))

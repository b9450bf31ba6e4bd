"""os-release: which distribution a system is.

Follows os-release(5), systemd 252: the file is /etc/os-release or /usr/lib/os-release; ID, NAME and PRETTY_NAME
have defaults, everything else may be absent.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from bootrescue.formats.shell_assignments import parse_assignments


@dataclass(frozen=True, slots=True, kw_only=True)
class OsRelease:
    """What a system says about itself; a key that is absent is an empty string.

    Attributes:
        id: `debian`, `centos`, ...; `linux` when absent.
        name: without the version; `Linux` when absent.
        pretty_name: with the version; `Linux` when absent.
        version: the version as text, maybe with a code name.
        version_id: the version for machines: `7`, `22.04`.
        version_codename: `bookworm`, ...
        id_like: distributions that it is derived from, the closest first.
        variant_id: the edition, `server`, ...
        fields: all keys with their values.
        problems: lines that are no assignment, each with its number.
    """

    id: str
    name: str
    pretty_name: str
    version: str
    version_id: str
    version_codename: str
    id_like: tuple[str, ...]
    variant_id: str
    fields: tuple[tuple[str, str], ...]
    problems: tuple[str, ...]


def parse_os_release(data: bytes) -> OsRelease:
    """Read an os-release file. Nothing is raised: what cannot be read is among the problems."""
    parsed = parse_assignments(data)
    values: Mapping[str, str] = parsed.values
    return OsRelease(
        id=values.get("ID", "") or "linux",
        name=values.get("NAME", "") or "Linux",
        pretty_name=values.get("PRETTY_NAME", "") or "Linux",
        version=values.get("VERSION", ""),
        version_id=values.get("VERSION_ID", ""),
        version_codename=values.get("VERSION_CODENAME", ""),
        id_like=tuple(values.get("ID_LIKE", "").split()),
        variant_id=values.get("VARIANT_ID", ""),
        fields=tuple(values.items()),
        problems=parsed.problems,
    )

"""What belongs to a file beside its bytes."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Attributes:
    """What belongs to a file beside its bytes. Extended attributes hold the SELinux label, ACLs, capabilities."""

    mode: int = 0o644
    owner: int = 0
    group: int = 0
    modified_ns: int | None = None
    extended: tuple[tuple[str, bytes], ...] = ()

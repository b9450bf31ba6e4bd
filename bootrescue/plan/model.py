"""Values of a plan: each step names what it replaces by digest, and what will be there afterwards."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Final

SCHEMA: Final = "bootrescue-plan/1"
# In place of a digest: there is no file of that name.
ABSENT: Final = "absent"
# In place of a digest: the result is made by depmod from what the steps before it put in place.
COMPUTED: Final = "computed"


class Remedy(StrEnum):
    """What an operator may ask for; the least harmful that helps is chosen when nothing is asked."""

    POINT_ENTRY = "point-entry"
    RESTORE_IMAGE = "restore-image"
    RESTORE_MODULE = "restore-module"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the operator asked for. Empty means: whatever is right.

    Attributes:
        entry: id, title or index of the boot entry to mend.
        to: path or SHA-256 of the candidate to use.
    """

    entry: str = ""
    to: str = ""
    remedy: Remedy | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Which machine a plan is for. All that is given must match."""

    machine_id: str = ""
    root_uuid: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreImage:
    """Put the bytes of a backup image under an image's name."""

    path: PurePosixPath
    before_sha256: str
    source: PurePosixPath
    after_sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreModule:
    """Put a module that lies inside an image back under /lib/modules; `member` is its name in the image."""

    path: PurePosixPath
    before_sha256: str
    source: PurePosixPath
    member: str
    after_sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RebuildModuleIndex:
    """Make modules.dep and its companions anew from the modules that lie there; `path` is the modules directory."""

    path: PurePosixPath
    release: str
    before_sha256: str
    after_sha256: str = COMPUTED


@dataclass(frozen=True, slots=True, kw_only=True)
class PointEntry:
    """Change one initrd word of one entry of a grub.cfg; nothing else in the file changes."""

    path: PurePosixPath
    before_sha256: str
    entry: str
    line: int
    old: str
    new: str
    after_sha256: str
    size_bytes: int


Step = RestoreImage | RestoreModule | RebuildModuleIndex | PointEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Ordered steps for one machine.

    Attributes:
        id: derived from all the rest; the same plan has the same id.
        system: the id of the installed system.
        notes: what the operator must know: what the plan does not mend, what would undo it.
    """

    id: str
    system: str
    machine: Machine
    steps: tuple[Step, ...]
    notes: tuple[str, ...] = ()


def kind_of(step: Step) -> str:
    """The name of a step's kind in plan files, JSON and talk."""
    match step:
        case RestoreImage():
            return "restore-image"
        case RestoreModule():
            return "restore-module"
        case RebuildModuleIndex():
            return "rebuild-module-index"
        case PointEntry():
            return "point-entry"

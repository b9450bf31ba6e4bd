"""Look through GRUB's own eyes: its disk and file-system code (grub-fstest) reads the files from the raw device.

GRUB replays no journal, so it may see an older file than Linux does; facts measured per file system are in
docs/explanation/what-grub-sees.md.
"""

import hashlib
from collections.abc import Mapping
from pathlib import PurePosixPath

from bootrescue.errors import MachineLacksError
from bootrescue.host.runner import ToolError, run
from bootrescue.systems.model import InstalledSystem
from bootrescue.verification.model import Outcome, Proof


def grub_view(system: InstalledSystem, expected: Mapping[PurePosixPath, str]) -> Proof:
    """Read each file as GRUB would, and compare its SHA-256 with the one that Linux sees."""
    seen = []
    for path, wanted in expected.items():
        try:
            found = _digest_by_grub(system, path)
        except ToolError as error:
            return Proof(outcome=Outcome.FAILED, evidence=(f"GRUB cannot read {path}: {error.what}",))
        except MachineLacksError as error:
            return Proof(outcome=Outcome.NOT_POSSIBLE, evidence=(str(error),))
        if found != wanted:
            text = f"GRUB sees another {path} than Linux: SHA-256 {found[:16]}, not {wanted[:16]}"
            return Proof(outcome=Outcome.FAILED, evidence=(text,))
        seen.append(str(path))
    return Proof(outcome=Outcome.PROVED, evidence=tuple(f"GRUB reads {path} as Linux does" for path in seen))


def _digest_by_grub(system: InstalledSystem, path: PurePosixPath) -> str:
    mount = system.mount_of(path)
    file_system = mount.file_system
    if file_system.type == "directory":
        raise MachineLacksError("a directory has no disk for GRUB to read", where=str(path))
    device = f"(loop0,{file_system.grub_partition})" if file_system.grub_partition else "(loop0)"
    name = f"{device}/{path.relative_to(mount.mount_point)}"
    completed = run(["grub-fstest", file_system.piece.path, "cat", name])
    return hashlib.sha256(completed.stdout).hexdigest()

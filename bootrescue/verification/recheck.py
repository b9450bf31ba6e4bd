"""Read back from the device, past the page cache, what the transaction wrote."""

from collections.abc import Mapping
from pathlib import PurePosixPath

from bootrescue.host.confined import ConfinedRoot
from bootrescue.host.reading import digest_of
from bootrescue.plan.model import ABSENT
from bootrescue.verification.model import Outcome, Proof


def recheck(root: ConfinedRoot, expected: Mapping[PurePosixPath, str]) -> Proof:
    """Compare each file with the SHA-256 it must have; `absent` means that there must be none.

    Raises:
        OSError: a file cannot be read.
    """
    wrong = []
    for path, wanted in expected.items():
        found = digest_of(root, path, from_device=True) or ABSENT
        if found != wanted:
            wrong.append(f"{path}: SHA-256 {found[:16]}, expected {wanted[:16]}")
    if wrong:
        return Proof(outcome=Outcome.FAILED, evidence=tuple(wrong))
    return Proof(outcome=Outcome.PROVED, evidence=(f"{len(expected)} files read back with the expected SHA-256",))

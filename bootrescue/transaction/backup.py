"""Keep the old content of a file before it is replaced, and read the copy back from the device before trusting it."""

from pathlib import PurePosixPath

from bootrescue.errors import TakenBackError
from bootrescue.host.attributes import Attributes
from bootrescue.host.confined import ConfinedRoot
from bootrescue.host.durable import replace
from bootrescue.host.reading import digest_of, read_attributes, read_chunks
from bootrescue.plan.model import ABSENT
from bootrescue.transaction.model import Change


def keep(root: ConfinedRoot, directory: PurePosixPath, path: PurePosixPath, number: int, after_sha256: str) -> Change:
    """Copy what a path holds into the transaction's directory; a path that holds nothing needs no copy.

    Raises:
        OSError: the copy could not be written.
        TakenBackError: the copy read back differs.
    """
    before = digest_of(root, path)
    if before is None:
        return Change(path=path, before_sha256=ABSENT, after_sha256=after_sha256, backup="", attributes=Attributes())
    name = f"{number}-{before}"
    replace(root, directory / name, read_chunks(root, path), Attributes(mode=0o600), expect_sha256=before)
    if digest_of(root, directory / name, from_device=True) != before:
        raise TakenBackError("the backup read back from the disk differs from what was written", where=str(path))
    return Change(
        path=path,
        before_sha256=before,
        after_sha256=after_sha256,
        backup=name,
        attributes=read_attributes(root, path),
    )

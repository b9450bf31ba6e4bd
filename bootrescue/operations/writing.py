"""What apply and undo share: a system opened for writing, and a transaction put back."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath

from bootrescue.errors import NotTakenBackError
from bootrescue.host.confined import ConfinedRoot
from bootrescue.host.host import Host
from bootrescue.host.locks import locked
from bootrescue.report.model import RepairDocument
from bootrescue.systems.discover import reopen
from bootrescue.systems.model import InstalledSystem
from bootrescue.transaction.journal import read_history
from bootrescue.transaction.model import STATE_DIRECTORY, Transaction
from bootrescue.transaction.target import Target
from bootrescue.transaction.undo import undo
from bootrescue.verification.model import Outcome, Proof
from bootrescue.verification.recheck import recheck


@dataclass(frozen=True, slots=True, kw_only=True)
class Repaired:
    """The document, whether all that was asked for is proved, and the console of the boot proof."""

    document: RepairDocument
    proved: bool
    console: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class PutBack:
    """A transaction after its undo; `recheck` is None when it was undone before and nothing was written."""

    transaction: Transaction
    recheck: Proof | None

    @property
    def expected(self) -> dict[PurePosixPath, str]:
        """The digest of each file of the transaction from before it."""
        return {change.path: change.before_sha256 for change in reversed(self.transaction.changes)}


def devices_of(system: InstalledSystem, root: ConfinedRoot, paths: Iterable[PurePosixPath]) -> frozenset[str]:
    """The block devices that hold these paths and the journal: the only ones opened for writing."""
    real = (_real_directory(root, path.parent) / path.name for path in (*paths, STATE_DIRECTORY))
    return frozenset(system.mount_of(path).file_system.device for path in real)


def _real_directory(root: ConfinedRoot, directory: PurePosixPath) -> PurePosixPath:
    """Where a directory really lies, so that its file system can be told; of what is not there, the nearest above."""
    for place in (directory, *directory.parents):
        try:
            return root.real_name(place)
        except OSError:
            continue
    return directory


@contextmanager
def disks_locked(system: InstalledSystem) -> Iterator[None]:
    """Hold every disk that a system lies on, for the length of a with block.

    Raises:
        RefusedError: another bootrescue is writing to one, or this machine uses it.
    """
    with ExitStack() as locks:
        for disk in sorted({mount.file_system.piece.path for mount in system.mounts}):
            locks.enter_context(locked(disk))
        yield


def open_target(host: Host, system: InstalledSystem, devices: frozenset[str]) -> Target:
    """Open a system for writing: the file systems on these devices, no others.

    Raises:
        MachineLacksError: a file system cannot be mounted for writing.
    """
    if system.root.type == "directory":
        return Target(root=ConfinedRoot(path=system.directory), mount_points=(system.directory,))
    opened = reopen(host, system, devices)
    root = ConfinedRoot(path=opened.directory)
    places = [mount.mount_point for mount in opened.mounts if mount.file_system.device in devices]
    return Target(root=root, mount_points=tuple(root.here(place) for place in places))


def put_back(
    host: Host,
    system: InstalledSystem,
    state_devices: frozenset[str],
    choose: Callable[[tuple[Transaction, ...]], Transaction],
) -> PutBack:
    """Undo the transaction chosen among those on a system, and read back what was put in place.

    After a power cut the journal may itself be known only to its file system's journal, so the choice is made once
    that file system is open for writing, which replays it.

    Raises:
        NotTakenBackError: what was put back is not what the journal says.
        BootRescueError: as transaction.undo, and whatever choose raises.
    """
    with disks_locked(system):
        with host.scope() as replaying:
            root = open_target(replaying, system, state_devices).root
            found = choose(read_history(root))
            devices = devices_of(system, root, (change.path for change in found.changes))
        with host.scope() as writing:
            target = open_target(writing, system, devices)
            if not undo(target, found):
                return PutBack(transaction=found, recheck=None)
            after = next(one for one in read_history(target.root) if one.id == found.id)
            done = PutBack(transaction=after, recheck=None)
            proof = recheck(target.root, done.expected)
    if proof.outcome is Outcome.FAILED:
        raise NotTakenBackError("; ".join(proof.evidence), where=str(found.journal))
    return PutBack(transaction=after, recheck=proof)

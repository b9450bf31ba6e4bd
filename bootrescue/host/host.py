"""The machine that bootrescue runs on, as one value that is passed to whoever touches it.

Everything taken from the machine (mounts, loop devices, working files) hangs on the host's exit stack and is given
back when its with block ends. Mounts are made in a mount namespace of our own: whatever happens to this process,
the kernel takes them away with it.
"""

import ctypes
import itertools
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from bootrescue.errors import CancelledError, MachineLacksError
from bootrescue.host.leftovers import remove_leftovers, working_directory

# include/uapi/linux/sched.h and include/uapi/linux/mount.h, Linux 6.12
CLONE_NEWNS: Final = 0x00020000
MS_REC: Final = 0x4000
MS_SLAVE: Final = 0x80000


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a piece of long work has come; `total_bytes` is 0 while the end is not known."""

    phase: str
    done_bytes: int = 0
    total_bytes: int = 0


def _say_nothing(_progress: Progress) -> None:
    return


@dataclass(slots=True, kw_only=True)
class Host:
    """What an operation needs of the machine.

    Attributes:
        resources: everything that must be given back, in order.
        work: a private directory for mount points and sockets; gone at the end.
        listener: told of progress; must return quickly.
        cancelled: set by a face to stop the work at the next safe point.
    """

    resources: ExitStack
    work: Path
    listener: Callable[[Progress], None] = _say_nothing
    cancelled: threading.Event = field(default_factory=threading.Event)
    # shared by all scopes of a host: no two directories in `work` have one name
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def report(self, phase: str, done_bytes: int = 0, total_bytes: int = 0) -> None:
        """Tell the listener how far the work is; a safe point to stop at.

        Raises:
            CancelledError: the operator asked to stop.
        """
        if self.cancelled.is_set():
            raise CancelledError("stopped at the operator's wish", where=phase)
        self.listener(Progress(phase=phase, done_bytes=done_bytes, total_bytes=total_bytes))

    def new_directory(self, purpose: str) -> Path:
        """Make an empty private directory, for a mount point or working files."""
        return make_private(self.work / f"{next(self._numbers):03}-{purpose}")

    @contextmanager
    def scope(self) -> Iterator["Host"]:
        """A host for a part of the work: what is taken from it is given back at the end of the with block."""
        with ExitStack() as resources:
            yield replace(self, resources=resources)


def make_private(directory: Path) -> Path:
    """Make a directory that nobody else may look into."""
    directory.mkdir(mode=0o700)
    return directory


@contextmanager
def open_host(listener: Callable[[Progress], None] = _say_nothing) -> Iterator[Host]:
    """Take hold of this machine for one operation, and give everything back at its end.

    Raises:
        MachineLacksError: root may not make a mount namespace here (a container without the right), or a file system
            is still in use at the end and stays mounted.
    """
    if os.geteuid() == 0:
        _enter_private_namespace()
    remove_leftovers()
    with working_directory() as work, ExitStack() as resources:
        yield Host(resources=resources, work=work, listener=listener)


_namespace = threading.local()


def _enter_private_namespace() -> None:
    """Give this thread a mount namespace of its own; mounts of others still arrive, ours do not leave."""
    if getattr(_namespace, "entered", False):
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS) != 0 or libc.mount(b"none", b"/", None, MS_REC | MS_SLAVE, None) != 0:
        reason = os.strerror(ctypes.get_errno())
        raise MachineLacksError(
            f"a private mount namespace is refused here: {reason}",
            hint="in a container, give it CAP_SYS_ADMIN; on a machine, run as root",
        )
    _namespace.entered = True

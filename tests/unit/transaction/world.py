"""A small machine in a directory, plans with every kind of step for it, and a system that fails on demand."""

import errno
import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, NoReturn

import pytest

from bootrescue.host.confined import ConfinedRoot
from bootrescue.host.host import Host
from bootrescue.plan.model import (
    ABSENT,
    Machine,
    Plan,
    PointEntry,
    RebuildModuleIndex,
    RestoreImage,
    RestoreModule,
    Step,
)
from bootrescue.plan.point_entry import edited
from bootrescue.transaction import apply as transaction
from bootrescue.transaction import content as content_module
from bootrescue.transaction.check import check
from bootrescue.transaction.target import Target
from tests.image_builders import archive, file

RELEASE = "6.1.0-18-amd64"
MODULES = PurePosixPath("/lib/modules") / RELEASE
IMAGE = PurePosixPath(f"/boot/initrd.img-{RELEASE}")
NEW_IMAGE = PurePosixPath(f"/boot/initrd.img-{RELEASE}.bootrescue")
BACKUP = PurePosixPath("/root/old/i40e-backup.bin")
MODULE = MODULES / "virtio_blk.ko"
GRUB = PurePosixPath("/boot/grub/grub.cfg")
MEMBER = f"lib/modules/{RELEASE}/virtio_blk.ko"
GOOD_MODULE = b"good module"
GOOD_IMAGE = archive(file("init", b"#!/bin/sh\n", 0o755), file(MEMBER, GOOD_MODULE))
GRUB_TEXT = b"""# by hand
menuentry 'one' {
  linux /vmlinuz root=/dev/vda1
  initrd /initrd.img
}
menuentry 'two' {
  linux /vmlinuz root=/dev/vda1 single
  initrd /initrd.img
}
"""
NEW_INDEX = {"modules.dep": b"virtio_blk.ko:\n", "modules.alias": b"# same\n", "modules.symbols": b"# new file\n"}
OLD_TIME_NS = 1_500_000_000_123_456_789

FILES = {
    IMAGE: b"damaged image",
    BACKUP: GOOD_IMAGE,
    MODULE: b"stripped module",
    GRUB: GRUB_TEXT,
    MODULES / "modules.dep": b"old\n",
    MODULES / "modules.alias": b"# same\n",
}


def digest(content: bytes) -> str:
    """The SHA-256 as plans hold it."""
    return hashlib.sha256(content).hexdigest()


def build(top: Path) -> ConfinedRoot:
    """Make the machine, its files with odd modes and times and, where the file system has them, extended attributes."""
    for number, (path, content) in enumerate(FILES.items()):
        here = top / path.relative_to("/")
        here.parent.mkdir(parents=True, exist_ok=True)
        here.write_bytes(content)
        here.chmod(0o600 + number)
        os.setxattr(here, "user.label", f"label {number}".encode())
        os.utime(here, ns=(OLD_TIME_NS + number, OLD_TIME_NS + number))
    (top / "var/lib").mkdir(parents=True)
    return ConfinedRoot(path=top)


def restore_image(path: PurePosixPath = IMAGE) -> RestoreImage:
    before = FILES.get(path)
    return RestoreImage(
        path=path,
        before_sha256=ABSENT if before is None else digest(before),
        source=BACKUP,
        after_sha256=digest(GOOD_IMAGE),
        size_bytes=len(GOOD_IMAGE),
    )


def restore_module() -> RestoreModule:
    return RestoreModule(
        path=MODULE,
        before_sha256=digest(FILES[MODULE]),
        source=BACKUP,
        member=MEMBER,
        after_sha256=digest(GOOD_MODULE),
        size_bytes=len(GOOD_MODULE),
    )


def rebuild_index() -> RebuildModuleIndex:
    return RebuildModuleIndex(path=MODULES, release=RELEASE, before_sha256=digest(b"old\n"))


def point_entries() -> tuple[PointEntry, ...]:
    """Two entries of one file: the second step starts from what the first one made."""
    steps: list[PointEntry] = []
    before = GRUB_TEXT
    for line in (2, 6):
        after = edited(before, line, "/initrd.img", "/good.img")
        steps.append(
            PointEntry(
                path=GRUB,
                before_sha256=digest(before),
                entry=str(line),
                line=line,
                old="/initrd.img",
                new="/good.img",
                after_sha256=digest(after),
                size_bytes=len(after),
            )
        )
        before = after
    return tuple(steps)


def plan_of(*steps: Step) -> Plan:
    return Plan(id="0123456789ab", system="debian", machine=Machine(), steps=steps)


PLANS: Mapping[str, Plan] = {
    "restore-image": plan_of(restore_image()),
    "restore-image where there was none": plan_of(restore_image(NEW_IMAGE)),
    "restore-module and index": plan_of(restore_module(), rebuild_index()),
    "point-entry twice": plan_of(*point_entries()),
    "all": plan_of(restore_image(), restore_image(NEW_IMAGE), restore_module(), rebuild_index(), *point_entries()),
}


def use_fake_depmod(monkeypatch: pytest.MonkeyPatch) -> None:
    def rebuilt(*_: object) -> dict[str, bytes]:
        return dict(NEW_INDEX)

    monkeypatch.setattr(content_module, "rebuilt_index", rebuilt)


@contextmanager
def working_host(work: Path) -> Iterator[Host]:
    """A host that takes nothing from this machine but a directory."""
    work.mkdir(exist_ok=True)
    with ExitStack() as resources:
        yield Host(resources=resources, work=work)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """All that undo promises to bring back of one file."""

    content: bytes
    mode: int
    owner: tuple[int, int]
    modified_ns: int
    extended: tuple[tuple[str, bytes], ...]


def seen(root: ConfinedRoot) -> dict[str, Seen]:
    """Every file of the machine outside bootrescue's own directory, staged leftovers among them."""
    found = {}
    for path in sorted(root.path.rglob("*")):
        name = "/" + str(path.relative_to(root.path))
        if path.is_dir() or name.startswith("/var/lib/bootrescue"):
            continue
        status = path.stat()
        found[name] = Seen(
            content=path.read_bytes(),
            mode=status.st_mode,
            owner=(status.st_uid, status.st_gid),
            modified_ns=status.st_mtime_ns,
            extended=tuple((key, os.getxattr(path, key)) for key in sorted(os.listxattr(path))),
        )
    return found


def carry_out(host: Host, root: ConfinedRoot, plan: Plan, *mount_points: Path) -> transaction.Applied:
    """Check, apply and commit as operations.apply does."""
    target = Target(root=root, mount_points=mount_points)
    steps = check(host, root, plan)
    applied = transaction.apply(host, steps, target, plan.id)
    try:
        transaction.commit(target, applied)
    except OSError as error:
        transaction.take_back_after(target, applied, error)
    return applied


class Death(BaseException):
    """The power is cut: nothing that runs afterwards has any effect."""


# Every call by which bootrescue/host/durable.py changes a file system, or asks for it to be flushed
WRITERS = ("write", "fsync", "rename", "unlink", "mkdir", "fchmod", "fchown", "setxattr", "utime")


@dataclass(slots=True)
class FailingSystem:
    """Counts the writing calls of the operating system and makes one of them fail."""

    fail_at: int = -1
    dies: bool = False
    torn: bool = False
    count: int = 0
    calls: list[str] = field(default_factory=list)
    dead: bool = False

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in WRITERS:
            monkeypatch.setattr(os, name, self._wrapped(name, getattr(os, name)))

    def _wrapped(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401 -- any call of os
            if self.dead:
                raise Death
            self.count += 1
            self.calls.append(name)
            if self.count - 1 == self.fail_at:
                if self.torn and name == "write":
                    real(arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2])
                self._fail(name)
            # No power is cut here for real, and a flush costs more than all the rest
            return None if name == "fsync" else real(*arguments, **named)

        return call

    def _fail(self, name: str) -> NoReturn:
        if self.dies:
            self.dead = True
            raise Death
        raise OSError(errno.EIO, f"{name} fails here")

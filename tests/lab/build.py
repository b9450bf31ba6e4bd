"""Finds a pristine machine in the cache, or builds it."""

from dataclasses import replace
from pathlib import Path

from tests.lab import cache
from tests.lab.apt_sources import apt_sources
from tests.lab.commands import LabError
from tests.lab.debian import build_debian
from tests.lab.el7 import build_el7
from tests.lab.machine import LabMachine, machine_of

MACHINES = ("debian", "el7", "debian-systemd")

RECIPE = (
    "apt_sources.py", "commands.py", "cpio.py", "debian.py", "disk.py", "dracut.py", "el7.py", "el7_grub_cfg.py",
    "grub.py", "guest.py", "machine.py", "root_tree.py",
)  # fmt: skip


def build(name: str) -> LabMachine:
    """Return a pristine machine; its disk belongs to the cache, so copy it before breaking it."""
    if name not in MACHINES:
        raise LabError(f"there is no lab machine {name!r}; choose one of {', '.join(MACHINES)}")
    key = cache.recipe_key(sources=RECIPE, parameters=(name, apt_sources()))

    def make(directory: Path) -> None:
        machine = build_el7(directory) if name == "el7" else build_debian(name, directory)
        replace(machine, disk=directory / "disk.raw").save()

    return machine_of(cache.artefact(f"machine-{name}", key, make) / "disk.raw")

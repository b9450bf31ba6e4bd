"""Gather all that decides whether one installed system boots."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import PurePosixPath

from bootrescue.boot.candidates import find_images
from bootrescue.boot.grub_entries import collect_grub_entries, grub_path
from bootrescue.boot.images import ModuleCache, examine_image
from bootrescue.boot.model import BootChain, BootEntry, Candidate, ImageFacts
from bootrescue.boot.modules import collect_modules, modules_carried
from bootrescue.errors import BadInputError
from bootrescue.filesystems.model import FileSystem
from bootrescue.host.host import Host
from bootrescue.systems.model import InstalledSystem


def collect(host: Host, system: InstalledSystem, file_systems: tuple[FileSystem, ...]) -> BootChain:
    """Read the boot entries, the images that they name, every other image on the target, and the modules.

    Raises:
        CancelledError: the operator asked to stop.
    """
    host.report(f"reading the boot entries of {system.id}")
    readings = collect_grub_entries(system)
    entries = tuple(entry for reading in readings for entry in reading.entries)
    cache = ModuleCache()
    used = {file.path for entry in entries for file in entry.initrds if file.path is not None and file.exists}
    images = _examine(host, system, sorted(used), cache)
    others = _examine(host, system, [path for path in find_images(host, system.tree) if path not in used], cache)
    releases = sorted({entry.kernel_release for entry in entries if entry.kernel_release})
    every = (*images, *others)
    return BootChain(
        system=system,
        file_systems=file_systems,
        hardware=system.root.hardware,
        configurations=tuple(reading.configuration for reading in readings),
        entries=entries,
        images=images,
        candidates=_candidates(system, every, entries),
        modules=tuple(
            collect_modules(system.tree, release, modules_carried(release, every), system.root.hardware, cache)
            for release in releases
        ),
    )


def _examine(
    host: Host, system: InstalledSystem, paths: Iterable[PurePosixPath], cache: ModuleCache
) -> tuple[ImageFacts, ...]:
    facts = []
    for path in paths:
        host.report(f"reading {path}")
        try:
            facts.append(examine_image(system.tree, path, cache))
        except (OSError, BadInputError):
            continue
    return tuple(facts)


def _candidates(
    system: InstalledSystem, images: tuple[ImageFacts, ...], entries: tuple[BootEntry, ...]
) -> tuple[Candidate, ...]:
    """One candidate for each content, with every place where it lies."""
    by_content: dict[str, list[ImageFacts]] = {}
    for facts in images:
        by_content.setdefault(facts.image.sha256, []).append(facts)
    return tuple(_candidate(system, same, entries) for same in by_content.values())


def _candidate(system: InstalledSystem, same: list[ImageFacts], entries: tuple[BootEntry, ...]) -> Candidate:
    paths = tuple(facts.path for facts in same)
    return Candidate(
        facts=replace(same[0], modified_ns=min(facts.modified_ns for facts in same)),
        paths=paths,
        file_system_uuid=system.mount_of(paths[0]).file_system.uuid,
        grub_path=grub_path(system, paths[0]),
        used_by=tuple(entry.id for entry in entries if any(file.path in paths for file in entry.initrds)),
    )

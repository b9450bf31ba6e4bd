"""Make a module index anew by this machine's depmod, on an overlay: the directory itself is only read.

The target's own depmod.d says in which order copies of a module count; links that would lead depmod out to this
machine's files are mended or left out in the overlay.
"""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from bootrescue.errors import BadInputError
from bootrescue.host.host import Host
from bootrescue.host.mounts import overlaid
from bootrescue.host.runner import run

# depmod(8): every file of the index begins so
INDEX_PREFIX: Final = "modules."
# tools/depmod.c of kmod 30, is_version_number: anything else is taken for the name of a module file
RELEASE: Final = re.compile(r"[0-9]+\.[0-9]+[^/\s]*")
# What a target calls the directory that holds all releases
MODULES_DIRECTORIES: Final = ("/lib/modules/", "/usr/lib/modules/")


def rebuilt_index(
    host: Host, modules_directory: Path, release: str, configuration: Mapping[str, bytes]
) -> dict[str, bytes]:
    """The files of the index as depmod would write them, by name; unchanged ones among them.

    `configuration` is the target's depmod.d: the content of each file by its name.

    Raises:
        BadInputError: depmod found no module, or not all that the present index lists: such an index would do harm.
        MachineLacksError: depmod or overlay mounts are missing here.
    """
    if not RELEASE.fullmatch(release) or modules_directory.name != release:
        raise BadInputError(f"'{release}' is no kernel release with modules there", where=str(modules_directory))
    releases = overlaid(host, modules_directory.parent)
    _keep_links_inside(releases, release)
    tree = host.new_directory("depmod")
    (tree / "lib").mkdir()
    (tree / "lib" / "modules").symlink_to(releases)
    settings = host.new_directory("depmod.d")
    for name, content in configuration.items():
        (settings / Path(name).name).write_bytes(content)
    run(["depmod", "--basedir", str(tree), "--config", str(settings), release])
    index = dict(_index_files(releases / release))
    _require_nothing_lost(modules_directory, index.get("modules.dep", b""))
    return index


def _index_files(directory: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(directory.iterdir()):
        if path.name.startswith(INDEX_PREFIX) and path.is_file() and not path.is_symlink():
            yield path.name, path.read_bytes()


def _keep_links_inside(releases: Path, release: str) -> None:
    """Point absolute links (weak-updates of Red Hat's kmod packages) into the overlay, and drop those that leave it."""
    for directory, directories, files in os.walk(releases / release):
        for path in (Path(directory) / name for name in (*directories, *files)):
            if not path.is_symlink():
                continue
            target = os.fspath(path.readlink())
            inner = next((target.removeprefix(top) for top in MODULES_DIRECTORIES if target.startswith(top)), None)
            if inner is not None:
                path.unlink()
                path.symlink_to(os.path.relpath(releases / inner, path.parent))
            if not path.resolve().is_relative_to(releases):
                path.unlink()


def _require_nothing_lost(modules_directory: Path, dependencies: bytes) -> None:
    """A depmod that cannot read this kernel's compression finds no modules, or only some."""
    if not dependencies:
        raise BadInputError("depmod found no modules; its result is not used", where=str(modules_directory))
    try:
        before = _listed((modules_directory / "modules.dep").read_bytes())
    except FileNotFoundError:
        return
    for name in sorted(before - _listed(dependencies)):
        if os.path.lexists(modules_directory / os.fsdecode(name)):
            raise BadInputError(
                f"depmod no longer found {os.fsdecode(name)}, which is there; its result is not used",
                where=str(modules_directory),
                hint="run depmod on the machine itself once it boots",
            )


def _listed(dependencies: bytes) -> set[bytes]:
    return {line.partition(b":")[0] for line in dependencies.splitlines() if b":" in line}

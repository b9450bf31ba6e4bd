"""What /lib/modules holds for a kernel release, as far as the boot depends on it."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePosixPath
from typing import Final

from bootrescue.boot.images import ModuleCache
from bootrescue.boot.model import ImageFacts, ImageModule, InstalledModule, ModulesFacts
from bootrescue.devices.model import Hardware
from bootrescue.errors import BadInputError
from bootrescue.filesystems.tree import FileTree, read_bytes
from bootrescue.formats.kernel_module import module_name
from bootrescue.formats.module_index import (
    ModulesDep,
    match_modalias,
    parse_modules_alias,
    parse_modules_builtin,
    parse_modules_dep,
)
from bootrescue.systems.kernels import MODULES

# The largest modules of distribution kernels (amdgpu, uncompressed) stay under 40 MB.
MODULE_LIMIT_BYTES: Final = 128 << 20
NO_INDEX: Final = ModulesDep(paths={}, depends={}, problems=("modules.dep is missing",))


def modules_carried(release: str, images: Iterable[ImageFacts]) -> tuple[ImageModule, ...]:
    """Every module that any image carries for a kernel release."""
    return tuple(module for facts in images for module in facts.modules_for(release))


def collect_modules(
    tree: FileTree, release: str, carried: Sequence[ImageModule], hardware: Hardware, cache: ModuleCache
) -> ModulesFacts:
    """Read the module index of a release, and judge the installed copies of the modules that the images carry."""
    directory = MODULES / release
    if tree.status(directory) is None:
        return ModulesFacts(release=release, directory=None, problems=(f"{directory} is missing",))
    problems: list[str] = []
    text = _read(tree, directory / "modules.dep", problems)
    builtin = _read(tree, directory / "modules.builtin", problems)
    index = NO_INDEX if text is None else parse_modules_dep(text)
    problems += index.problems
    asked = {*hardware.modaliases, *(name for copy in carried for name in copy.needed_before)}
    aliases = _aliases(tree, directory, problems) if asked else ()
    paths = [directory / index.paths[name] for name in sorted({copy.name for copy in carried} & index.paths.keys())]
    installed = tuple(_installed(tree, paths, cache, problems))
    return ModulesFacts(
        release=release,
        directory=directory,
        builtin=parse_modules_builtin(builtin or b""),
        builtin_known=builtin is not None,
        answers={name: tuple(map(module_name, match_modalias(aliases, name))) for name in sorted(asked)},
        installed=installed,
        index_sha256="absent" if text is None else hashlib.sha256(text).hexdigest(),
        problems=tuple(problems),
    )


def _read(tree: FileTree, path: PurePosixPath, problems: list[str]) -> bytes | None:
    """The content of an index; None, with a problem told, when it cannot be had."""
    try:
        return read_bytes(tree, path)
    except (OSError, BadInputError) as error:
        problems.append(f"{path} cannot be read: {error}")
        return None


def _aliases(tree: FileTree, directory: PurePosixPath, problems: list[str]) -> tuple[tuple[str, str], ...]:
    """(pattern, module) of the loadable modules, then of the parts that are built in."""
    loadable = parse_modules_alias(_read(tree, directory / "modules.alias", problems) or b"")
    built_in = []
    for field in (_read(tree, directory / "modules.builtin.modinfo", problems) or b"").split(b"\0"):
        owner, dot, rest = field.decode(errors="replace").partition(".")
        key, equals, pattern = rest.partition("=")
        if dot and equals and key == "alias":
            built_in.append((pattern, owner))
    return (*loadable, *built_in)


def _installed(
    tree: FileTree, paths: Iterable[PurePosixPath], cache: ModuleCache, problems: list[str]
) -> Iterator[InstalledModule]:
    for path in paths:
        try:
            data = read_bytes(tree, path, MODULE_LIMIT_BYTES)
        except (OSError, BadInputError) as error:
            problems.append(f"{path} cannot be read: {error}")
            continue
        if data is None:
            problems.append(f"modules.dep names {path}, which is missing")
        else:
            yield InstalledModule(path=tree.real_name(path), module=cache.examine(data, str(path)))

"""What /lib/modules holds for a kernel release, as far as the boot depends on it."""

import hashlib
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Final

from bootrescue.boot.images import ModuleCache
from bootrescue.boot.model import ImageFacts, InstalledModule, ModulesFacts
from bootrescue.errors import BadInputError
from bootrescue.filesystems.tree import FileTree, read_bytes
from bootrescue.formats.kernel_module import module_name
from bootrescue.formats.module_index import ModulesDep, parse_modules_alias, parse_modules_builtin, parse_modules_dep
from bootrescue.systems.kernels import MODULES

# The largest modules of distribution kernels (amdgpu, uncompressed) stay under 40 MB.
MODULE_LIMIT_BYTES: Final = 128 << 20
NO_INDEX: Final = ModulesDep(paths={}, depends={}, problems=("modules.dep is missing",))


def collect_modules(tree: FileTree, release: str, images: Iterable[ImageFacts], cache: ModuleCache) -> ModulesFacts:
    """Read the module index of a release, and judge the installed copies of the modules that the images carry."""
    directory = MODULES / release
    if tree.status(directory) is None:
        return ModulesFacts(
            release=release,
            directory=None,
            depends={},
            builtin=frozenset(),
            aliases=(),
            installed=(),
            problems=(f"{directory} is missing",),
        )
    text = read_bytes(tree, directory / "modules.dep")
    index = NO_INDEX if text is None else parse_modules_dep(text)
    carried = {module.module.name for facts in images if release in facts.kernel_releases for module in facts.modules}
    installed, problems = _installed(tree, directory, index, carried, cache)
    return ModulesFacts(
        release=release,
        directory=directory,
        depends={module_name(path): tuple(map(module_name, needs)) for path, needs in index.depends.items()},
        builtin=parse_modules_builtin(read_bytes(tree, directory / "modules.builtin") or b""),
        aliases=_aliases(tree, directory),
        installed=installed,
        index_sha256="absent" if text is None else hashlib.sha256(text).hexdigest(),
        problems=(*index.problems, *problems),
    )


def _aliases(tree: FileTree, directory: PurePosixPath) -> tuple[tuple[str, str], ...]:
    loadable = parse_modules_alias(read_bytes(tree, directory / "modules.alias") or b"")
    built_in = []
    for field in (read_bytes(tree, directory / "modules.builtin.modinfo") or b"").split(b"\0"):
        owner, dot, rest = field.decode(errors="replace").partition(".")
        key, equals, pattern = rest.partition("=")
        if dot and equals and key == "alias":
            built_in.append((pattern, owner))
    return (*loadable, *built_in)


def _installed(
    tree: FileTree, directory: PurePosixPath, index: ModulesDep, names: set[str], cache: ModuleCache
) -> tuple[tuple[InstalledModule, ...], list[str]]:
    found = []
    problems = []
    for name in sorted(names & index.paths.keys()):
        path = directory / index.paths[name]
        try:
            data = read_bytes(tree, path, MODULE_LIMIT_BYTES)
        except (OSError, BadInputError) as error:
            problems.append(f"{path} cannot be read: {error}")
            continue
        if data is None:
            problems.append(f"modules.dep names {path}, which is missing")
        else:
            found.append(InstalledModule(path=tree.real_name(path), module=cache.examine(data, str(path))))
    return tuple(found), problems

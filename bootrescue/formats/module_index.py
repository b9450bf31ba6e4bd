"""The text files that depmod writes beside the modules: modules.dep, modules.builtin, modules.alias.

Sources: modules.dep(5); tools/depmod.c and shared/util.c of kmod 34. Names of modules have underscores here, as the
kernel has them; paths stay as they are written, relative to /lib/modules/<release> or absolute.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from bootrescue.formats.kernel_module import module_name

PROBLEM_LIMIT = 100
"""Enough to see what is wrong with a file that is not what it should be."""

_WILDCARDS = "*?["


@dataclass(frozen=True, slots=True, kw_only=True)
class ModulesDep:
    """What modules.dep says.

    Attributes:
        paths: module name -> path of its file; where two files have one name, the last line counts.
        depends: path -> the paths that it needs, each before the ones that it needs itself.
        problems: lines that make no sense.
    """

    paths: Mapping[str, str]
    depends: Mapping[str, tuple[str, ...]]
    problems: tuple[str, ...]


def parse_modules_dep(data: bytes) -> ModulesDep:
    """Read "path: path path" lines; a line that makes no sense is told and passed over."""
    paths: dict[str, str] = {}
    depends: dict[str, tuple[str, ...]] = {}
    problems: list[str] = []
    for number, line in _numbered_lines(data):
        path, colon, needed = line.partition(":")
        if not colon or not path.strip():
            problems.append(f"line {number} has no path and colon")
            continue
        name = module_name(path)
        if name in paths:
            problems.append(f"line {number} names module {name} a second time")
        paths[name] = path
        depends[path] = tuple(needed.split())
    if not depends:
        problems.append("it names no module")
    return ModulesDep(paths=paths, depends=depends, problems=tuple(problems[:PROBLEM_LIMIT]))


def render_modules_dep(depends: Mapping[str, Iterable[str]]) -> bytes:
    """Write the lines back, as depmod writes them."""
    lines = (f"{path}:{''.join(' ' + needed for needed in paths)}\n" for path, paths in depends.items())
    return "".join(lines).encode("utf-8", "surrogateescape")


def parse_modules_builtin(data: bytes) -> frozenset[str]:
    """Return the names of the modules that are part of the kernel itself."""
    return frozenset(module_name(line.strip()) for _, line in _numbered_lines(data))


def parse_modules_alias(data: bytes) -> tuple[tuple[str, str], ...]:
    """Return (pattern, module) of each "alias pattern module" line, in the order of the file."""
    words = (line.split() for _, line in _numbered_lines(data))
    return tuple((word[1], word[2].replace("-", "_")) for word in words if word[0] == "alias" and len(word) == 3)  # noqa: PLR2004  (alias, pattern, module)


def match_modalias(aliases: Iterable[tuple[str, str]], modalias: str) -> tuple[str, ...]:
    """Return the modules whose pattern fits, each once, in the order of the patterns.

    Hyphens count as underscores outside of brackets, and the pattern is fnmatch's (libkmod, alias_normalize()).
    """
    from fnmatch import fnmatchcase  # noqa: PLC0415  (it brings in re)

    wanted = _with_underscores(modalias)
    found: dict[str, None] = {}
    for pattern, module in aliases:
        # Most patterns differ within their first letters, where a comparison is far cheaper than a regular expression.
        normal = _with_underscores(pattern) if "-" in pattern else pattern
        if module not in found and wanted.startswith(_literal_start(normal)) and fnmatchcase(wanted, normal):
            found[module] = None
    return tuple(found)


def _literal_start(pattern: str) -> str:
    """Return what stands before the first wildcard."""
    end = min((at for wildcard in _WILDCARDS if (at := pattern.find(wildcard)) >= 0), default=len(pattern))
    return pattern[:end]


def _with_underscores(pattern: str) -> str:
    """Replace hyphens, but not inside of [...]."""
    head, bracket, rest = pattern.partition("[")
    parts = [head.replace("-", "_")]
    while bracket:
        inside, end, rest = rest.partition("]")
        head, next_bracket, rest = rest.partition("[")
        parts += [bracket, inside, end, head.replace("-", "_")]
        bracket = next_bracket
    return "".join(parts)


def _numbered_lines(data: bytes) -> Iterator[tuple[int, str]]:
    """Return the lines that say something, counted from 1; bytes that are no UTF-8 survive as surrogates."""
    for number, line in enumerate(data.decode("utf-8", "surrogateescape").split("\n"), 1):
        if line.strip() and not line.startswith("#"):
            yield number, line

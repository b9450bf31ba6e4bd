"""Finds, in the text of a Python file, the calls that change files or start processes.

It reads names, not types: what `os`, `shutil` and `pathlib` offer is known by the module a name was imported from, and
a path's methods by their own names. Where a text alone cannot tell (`open` with a mode held in a variable), it reports.
"""

import ast
import sys
from dataclasses import dataclass
from pathlib import Path

WRITING_LETTERS = frozenset("wax+")
MODE_LETTERS = frozenset("rwaxbt+")

# Functions that take a mode like the builtin's second argument, and that mode's position.
OPENERS = {
    "open": 1,
    "io.open": 1,
    "codecs.open": 1,
    "os.fdopen": 1,
    "gzip.open": 1,
    "gzip.GzipFile": 1,
    "bz2.open": 1,
    "bz2.BZ2File": 1,
    "lzma.open": 1,
    "lzma.LZMAFile": 1,
    "tarfile.open": 1,
    "zipfile.ZipFile": 1,
    "isal.igzip.open": 1,
    "zstandard.open": 1,
}

# Flags of os.open with which nothing is created and nothing can be written.
HARMLESS_FLAGS = frozenset(
    {
        "os.O_RDONLY",
        "os.O_CLOEXEC",
        "os.O_NOFOLLOW",
        "os.O_DIRECTORY",
        "os.O_PATH",
        "os.O_NONBLOCK",
        "os.O_NOCTTY",
        "os.O_NOATIME",
        "os.O_DIRECT",
    }
)

_WRITING_OS_NAMES = """
    chmod chown copy_file_range fchmod fchown ftruncate lchmod lchown link makedirs mkdir mkfifo mknod posix_fallocate
    pwrite pwritev remove removedirs removexattr rename renames replace rmdir sendfile setxattr splice symlink truncate
    unlink utime write writev
"""
_STARTING_OS_NAMES = """
    execl execle execlp execlpe execv execve execvp execvpe fork forkpty popen posix_spawn posix_spawnp spawnl spawnle
    spawnlp spawnlpe spawnv spawnve spawnvp spawnvpe startfile system
"""
FORBIDDEN_NAMES = frozenset(f"os.{name}" for name in (_WRITING_OS_NAMES + _STARTING_OS_NAMES).split()) | {
    "asyncio.create_subprocess_exec",
    "asyncio.create_subprocess_shell",
    "fcntl.ioctl",
    "multiprocessing.Process",
    "pty.spawn",
    "sqlite3.connect",
}
# Whole modules, and what they hold that changes nothing.
FORBIDDEN_MODULES = {
    "shutil": frozenset({"which", "disk_usage", "get_terminal_size", "Error", "SameFileError"}),
    "subprocess": frozenset[str](),
    "tempfile": frozenset({"gettempdir"}),
}

PATH_METHODS = frozenset(
    {
        "chmod",
        "hardlink_to",
        "lchmod",
        "mkdir",
        "rename",
        "rmdir",
        "symlink_to",
        "touch",
        "unlink",
        "write_bytes",
        "write_text",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineCall:
    """One place where a file is changed or a process started."""

    file: str
    line: int
    call: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.call}"


def machine_calls(source: str, file: str) -> tuple[MachineCall, ...]:
    """All such places in a text, in the order of its lines."""
    finder = _Finder(file)
    finder.visit(ast.parse(source, filename=file))
    return tuple(sorted(finder.found, key=lambda call: call.line))


class _Finder(ast.NodeVisitor):
    """Walks a module; an imported name is known by what it stands for, wherever the import is written."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.found: list[MachineCall] = []
        self._meaning: dict[str, str] = {}

    def visit_Module(self, node: ast.Module) -> None:
        """Learns every import before any call is judged: a function may stand above the import it uses."""
        for inner in ast.walk(node):
            if isinstance(inner, ast.Import):
                self._learn_import(inner)
            elif isinstance(inner, ast.ImportFrom):
                self._learn_import_from(inner)
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        """Judges a call by the function's name and by its arguments."""
        name = self._name(node.func)
        if self._opens_for_writing(node, name) or self._is_path_method(node, name) or self._is_hidden(node, name):
            self._report(node, name or ast.unparse(node.func))
        self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        """A forbidden function is reported where it is named, called or not: it may be passed on."""
        self._judge_name(node)
        self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        """As for attributes: `from os import rename` makes a plain name of it."""
        self._judge_name(node)

    def _learn_import(self, node: ast.Import) -> None:
        for name in node.names:
            # `import os.path` binds `os`; `import os.path as p` binds the whole name.
            self._meaning[name.asname or name.name.partition(".")[0]] = (
                name.name if name.asname else name.name.partition(".")[0]
            )

    def _learn_import_from(self, node: ast.ImportFrom) -> None:
        module = _canonical(node.module or "")
        for name in node.names:
            if name.name == "*" and (module == "os" or module in FORBIDDEN_MODULES):
                self._report(node, f"from {module} import *")
            self._meaning[name.asname or name.name] = f"{module}.{name.name}"

    def _name(self, node: ast.expr) -> str:
        """The full name an expression stands for ("os.rename"), or "" where it is no chain of names."""
        if isinstance(node, ast.Name):
            return self._meaning.get(node.id, node.id)
        if isinstance(node, ast.Attribute):
            owner = self._name(node.value)
            return _canonical(f"{owner}.{node.attr}") if owner else ""
        return ""

    def _is_imported(self, node: ast.expr) -> bool:
        while isinstance(node, ast.Attribute):
            node = node.value
        return isinstance(node, ast.Name) and node.id in self._meaning

    def _judge_name(self, node: ast.Name | ast.Attribute) -> None:
        if self._is_imported(node) and _is_forbidden(name := self._name(node)):
            self._report(node, name)

    def _opens_for_writing(self, node: ast.Call, name: str) -> bool:
        if name == "os.open":
            flags = _argument(node, 1, "flags")
            return flags is None or not self._flags_are_harmless(flags)
        if name in OPENERS and (name == "open" or self._is_imported(node.func)):
            mode = _argument(node, OPENERS[name], "mode")
            return mode is not None and not _is_reading_mode(mode)
        return _method(node) == "open" and not self._is_imported(node.func) and _path_opens_for_writing(node)

    def _flags_are_harmless(self, flags: ast.expr) -> bool:
        if isinstance(flags, ast.BinOp) and isinstance(flags.op, ast.BitOr):
            return self._flags_are_harmless(flags.left) and self._flags_are_harmless(flags.right)
        return self._name(flags) in HARMLESS_FLAGS or (isinstance(flags, ast.Constant) and flags.value == 0)

    def _is_path_method(self, node: ast.Call, name: str) -> bool:
        if not isinstance(node.func, ast.Attribute) or _is_forbidden(name):
            return False
        if self._goes_through_host(node.func.value):
            return False
        # A class from pathlib may be named to reach its method: Path.unlink(x).
        if self._is_imported(node.func) and not name.startswith("pathlib."):
            return False
        method = node.func.attr
        return method in PATH_METHODS or (method == "replace" and _replaces_a_path(node))

    def _goes_through_host(self, receiver: ast.expr) -> bool:
        """Whether a method is asked of `host`, the one object that may change the machine."""
        while isinstance(receiver, ast.Attribute):
            if receiver.attr == "host":
                return True
            receiver = receiver.value
        return isinstance(receiver, ast.Name) and receiver.id == "host"

    def _is_hidden(self, node: ast.Call, name: str) -> bool:
        """Whether a name is fetched as text: getattr(os, "rename")."""
        if name != "getattr" or len(node.args) < 2 or not self._is_imported(node.args[0]):
            return False
        wanted = node.args[1]
        if not isinstance(wanted, ast.Constant) or not isinstance(wanted.value, str):
            return False
        return _is_forbidden(f"{self._name(node.args[0])}.{wanted.value}")

    def _report(self, node: ast.AST, call: str) -> None:
        self.found.append(MachineCall(file=self.file, line=getattr(node, "lineno", 0), call=call))


def _canonical(name: str) -> str:
    """One name for what has several: os is made of posix, and builtins may be named."""
    module, dot, rest = name.partition(".")
    if module == "posix":
        return f"os{dot}{rest}"
    return rest if module == "builtins" and rest else name


def _is_forbidden(name: str) -> bool:
    module, _, rest = name.partition(".")
    if module in FORBIDDEN_MODULES:
        return bool(rest) and rest.partition(".")[0] not in FORBIDDEN_MODULES[module]
    return name in FORBIDDEN_NAMES


def _method(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else ""


def _argument(node: ast.Call, position: int, keyword: str) -> ast.expr | None:
    for given in node.keywords:
        if given.arg == keyword:
            return given.value
    return node.args[position] if len(node.args) > position else None


def _is_reading_mode(mode: ast.expr) -> bool:
    return isinstance(mode, ast.Constant) and isinstance(mode.value, str) and not WRITING_LETTERS & set(mode.value)


def _path_opens_for_writing(node: ast.Call) -> bool:
    """Whether `x.open(...)` writes. A mode is its first argument, or the second where a tree is asked for a path."""
    for given in node.keywords:
        if given.arg == "mode":
            return not _is_reading_mode(given.value)
    return any(
        isinstance(argument, ast.Constant)
        and isinstance(argument.value, str)
        and set(argument.value) <= MODE_LETTERS
        and bool(WRITING_LETTERS & set(argument.value))
        for argument in node.args[:2]
    )


def _replaces_a_path(node: ast.Call) -> bool:
    """Whether `x.replace(...)` is a path's, with one argument; text has two, and a date has keywords."""
    keywords = {given.arg for given in node.keywords}
    return (len(node.args) == 1 and not keywords) or (not node.args and keywords == {"target"})


def _main(files: list[str]) -> int:
    found = [call for file in files for call in machine_calls(Path(file).read_text(encoding="utf-8"), file)]
    sys.stdout.writelines(f"{call}\n" for call in found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))

"""The checker of machine_calls.py catches each form and stays quiet on what only looks alike."""

import pytest

from tests.machine_calls import machine_calls

OS_NAMES = """
    rename replace unlink remove mkdir makedirs rmdir removedirs chmod fchmod chown lchown link symlink truncate
    ftruncate utime setxattr removexattr mknod mkfifo write pwrite sendfile copy_file_range system fork posix_spawn
    execv popen
"""

CAUGHT = [
    'open("x", "w")',
    'open("x", "ab")',
    'open("x", mode="x")',
    'open("x", "r+b")',
    'open("x", mode)',
    'import io\nio.open("x", "w")',
    'import builtins\nbuiltins.open("x", "w")',
    'import gzip\ngzip.open("x", "wb")',
    'import zipfile\nzipfile.ZipFile("x", "a")',
    'import os\nos.fdopen(3, "w")',
    "import os\nos.open(p, os.O_WRONLY)",
    "import os\nos.open(p, os.O_RDWR | os.O_CLOEXEC)",
    "import os\nos.open(p, os.O_RDONLY | os.O_CREAT, 0o600)",
    "import os\nos.open(p, flags)",
    "from os import open as os_open, O_TRUNC\nos_open(p, O_TRUNC)",
    *(f"import os\nos.{name}(a, b)" for name in OS_NAMES.split()),
    "import os as machine\nmachine.rename(a, b)",
    "import posix\nposix.rename(a, b)",
    "import os.path\nos.rename(a, b)",
    "from os import rename as move\nmove(a, b)",
    "from os import rename\nlater(rename)",
    "import os\nlater(os.rename, a)",
    'import os\ngetattr(os, "rename")(a, b)',
    "from os import *",
    "def f():\n    os.rename(a, b)\nimport os",
    "def f():\n    import os\n    os.rename(a, b)",
    "import shutil\nshutil.rmtree(p)",
    "from shutil import copyfile\ncopyfile(a, b)",
    "import tempfile\ntempfile.mkdtemp()",
    "from tempfile import TemporaryDirectory\nTemporaryDirectory()",
    "import fcntl\nfcntl.ioctl(fd, FICLONE, other)",
    "import subprocess\nsubprocess.run(a)",
    "import asyncio\nasyncio.create_subprocess_exec(a)",
    "p.write_text(t)",
    "p.write_bytes(b)",
    "(p / name).unlink()",
    "p.unlink(missing_ok=True)",
    "p.rename(q)",
    "p.replace(q)",
    "p.replace(target=q)",
    "p.touch()",
    "p.mkdir(parents=True)",
    "p.rmdir()",
    "p.chmod(0o600)",
    "p.lchmod(0o600)",
    "p.symlink_to(q)",
    "p.hardlink_to(q)",
    'p.open("w")',
    'p.open(mode="wb")',
    "p.open(mode=mode)",
    'tree.open(name, "wb")',
    "from pathlib import Path\nPath(a).unlink()",
    "from pathlib import Path\nPath.unlink(a)",
    "import pathlib\npathlib.Path(a).write_text(t)",
]

QUIET = [
    'open("x")',
    'open("x", "rb")',
    'open("x", mode="r", encoding="utf-8")',
    'import gzip\ngzip.open("x")',
    "import os\nos.open(p, os.O_RDONLY)",
    "import os\nos.open(p, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)",
    "import os\nos.open(p, os.O_PATH | os.O_DIRECTORY, dir_fd=fd)",
    "import os\nos.stat(p); os.readlink(p); os.listdir(p); os.path.join(a, b); os.fspath(p); os.environ",
    'text.replace("a", "b")',
    'data.replace(b"a", b"b", 1)',
    "import dataclasses\ndataclasses.replace(value, name=1)",
    "import dataclasses\ndataclasses.replace(value)",
    "from dataclasses import replace\nreplace(value, name=1)",
    "import copy\ncopy.replace(value)",
    "when.replace(tzinfo=UTC)",
    "names.remove(x)",
    "seen.discard(x)",
    "import sys\nsys.stdout.write(t)",
    "stream.write(t)",
    'p.open("rb")',
    "p.open()",
    "tree.open(name)",
    'tree.open("etc/fstab")',
    "import webbrowser\nwebbrowser.open(url)",
    "p.read_bytes(); p.exists(); p.iterdir()",
    "import shutil\nshutil.which(name); shutil.get_terminal_size()",
    "import tempfile\ntempfile.gettempdir()",
    "host.mkdir(p)",
    "self.host.unlink(p)",
    "from bootrescue.host import durable\ndurable.replace(p)",
    "remove(x); rename(y); unlink(z)",
    'import os\ngetattr(os, "stat")(p)',
    '"""os.rename(a, b)"""  # os.unlink(c)',
]


@pytest.mark.parametrize("source", CAUGHT)
def test_a_call_that_changes_the_machine_is_reported(source: str) -> None:
    found = machine_calls(source, "example.py")
    assert len(found) == 1, [str(call) for call in found]


@pytest.mark.parametrize("source", QUIET)
def test_what_only_looks_alike_is_left_alone(source: str) -> None:
    assert machine_calls(source, "example.py") == ()


def test_a_report_names_the_file_the_line_and_the_call() -> None:
    source = "import os\n\n\ndef tidy(p):\n    q = p / 'x'\n    os.unlink(q)\n    q.rmdir()\n"
    assert [str(call) for call in machine_calls(source, "tidy.py")] == ["tidy.py:6: os.unlink", "tidy.py:7: q.rmdir"]

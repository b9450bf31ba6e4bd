"""What is read of a target's files."""

import os
from pathlib import Path, PurePosixPath

import pytest

from bootrescue.errors import BadInputError
from bootrescue.host.confined import ConfinedRoot
from bootrescue.host.reading import digest_of

NAME = PurePosixPath("/boot/initrd.img")


def test_a_digest_has_three_answers(tmp_path: Path) -> None:
    (tmp_path / "boot").mkdir()
    (tmp_path / "boot/initrd.img").write_bytes(b"content")
    root = ConfinedRoot(path=tmp_path)
    assert digest_of(root, PurePosixPath("/boot/missing")) is None
    assert digest_of(root, NAME, from_device=True) == digest_of(root, NAME)
    os.mkfifo(tmp_path / "boot/fifo")
    with pytest.raises(BadInputError):
        digest_of(root, PurePosixPath("/boot/fifo"))

"""One writer at a time."""

from pathlib import Path

import pytest

from bootrescue.errors import RefusedError
from bootrescue.host.locks import locked


def test_a_second_lock_is_refused_and_the_first_given_back(tmp_path: Path) -> None:
    image = tmp_path / "disk.raw"
    image.write_bytes(bytes(512))
    with locked(str(image)):
        with pytest.raises(RefusedError, match="another program holds a lock") as caught, locked(str(image)):
            pass
        assert caught.value.hint
    with locked(str(image)):
        pass

"""The fast way stays fast: listing a small image costs at most eight bare starts of Python, its own start included."""

import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.chain_builders import ImageRecipe, image
from tests.image_builders import file

MOST_TIMES_A_BARE_START = 8
ROUNDS = 9
TREE = Path(__file__).parents[3]
PROGRAM = "import sys; sys.path.insert(0, sys.argv.pop(1)); from bootrescue.cli.main import run; run()"


def seconds(*argv: str) -> float:
    """How long a process takes."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-I", *argv], stdout=subprocess.DEVNULL, check=True, timeout=60)
    return time.perf_counter() - started


@pytest.mark.processes
def test_listing_a_small_image_is_quick(tmp_path: Path) -> None:
    path = tmp_path / "small.img"
    filler = bytes(range(256)) * 12
    path.write_bytes(
        image(ImageRecipe(codec="none", more=tuple(file(f"usr/f{number}", filler) for number in range(100))))
    )
    assert 200_000 < path.stat().st_size < 500_000
    ratios = []
    for _ in range(ROUNDS):  # one after the other, so that a busy machine slows both
        bare = seconds("-c", "pass")
        ratios.append(seconds("-c", PROGRAM, str(TREE), "image", "list", str(path)) / bare)
    assert statistics.median(ratios) <= MOST_TIMES_A_BARE_START, ratios

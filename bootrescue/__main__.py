"""python -m bootrescue."""

from bootrescue.cli.main import run

run()

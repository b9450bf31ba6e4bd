# bootrescue: `make` lists what can be made. Everything is installed by .ci/setup, which says what it does.
.DEFAULT_GOAL := help
.PHONY: help setup demo test test-long lint requirements clean as-root
PYTHON := .venv/bin/python

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

setup: ## install what is missing: system packages (as root) and .venv
	@.ci/setup

demo: as-root setup ## build a real disk, break it, rescue it, prove it: the story in a few minutes
	@$(PYTHON) -m tests.lab.demo

test: as-root setup lint ## every check but the long matrices
	@$(PYTHON) -m pytest -m "not long"

test-long: as-root setup lint ## every check
	@$(PYTHON) -m pytest

lint: setup ## ruff, mypy and the import contracts (pytest runs these contracts too)
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports --no-logo

requirements: ## pin the Python packages anew, with hashes
	@.ci/pin

clean: ## remove what was made in the tree; the lab's cache stays
	rm -rf .venv build report *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

as-root:
	@test "$$(id -u)" = 0 || { .ci/setup --check || true; \
	    echo "make: this needs root (loop devices, mounts, QEMU on real disks): sudo make $(MAKECMDGOALS)" >&2; exit 7; }

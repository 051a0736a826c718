# axenic needs Python >= 3.11, make and pip; nothing else. `make help` lists the targets.

PYTHON ?= python3
VENV ?= .venv
OUT ?= runs/sdf-demo
ARGS ?=
JOBS ?= 2

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip
SPEC := pyproject.toml constraints.txt
.DEFAULT_GOAL := help

.PHONY: help demo install install-dev test check bench clean

help:  ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 16

demo: install  ## grow a model with an implanted belief, measure it, write a report (run again to continue)
	@$(BIN)/axenic run sdf --out $(OUT) $(ARGS)

install: $(VENV)/.installed  ## make .venv and install axenic into it (a second call does nothing)

install-dev: $(VENV)/.installed-dev

test: install-dev  ## run the tests, JOBS files at a time (JOBS=0: in one process)
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(JOBS) --dist loadfile $(ARGS)

check: install-dev  ## lint, format, types, import rules, links in the docs
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python scripts/check_links.py

bench: install-dev  ## run every benchmark, one after the other
	@set -e; for file in benchmarks/*.py; do \
		if [ -f "$$file" ]; then echo "== $$file"; $(BIN)/python "$$file"; fi; \
	done

clean:  ## remove the virtual environment and caches (never runs/)
	rm -rf $(VENV) build dist src/*.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	find src tests benchmarks examples scripts -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "axenic needs Python 3.11 or newer, and '$(PYTHON)' is not. Name one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "Making a virtual environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV) || \
		{ rm -rf $(VENV); echo "Could not make $(VENV). On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }

# The stamps are written last, so their existence means that the installation completed.
$(VENV)/.installed: $(SPEC) | $(BIN)/python
	@echo "Installing axenic and its libraries (a few minutes, once)"
	@$(PIP) install --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	@echo "Installing what tests and checks need"
	@$(PIP) install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

# Jointwatch: three commands on a fresh machine (Python 3.11 or newer, and make).
#   make run    plays the bundled exercise and writes its report to out/two-partners
#   make test   everything that must pass: format, lint, types, rooms, tests
#   make bench  how fast it is, beside the peer (installs the peer; docs/benchmarks.md)
# All make the environment in .venv where it is missing; pyproject.toml says what goes into it.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
SCENARIO ?= scenarios/two-partners.toml
OUT ?= out/two-partners

.PHONY: help install run test lint kernels bench format system-deps clean

help:
	@echo "make run | test | bench | install | format | system-deps | clean   (CONTRIBUTING.md)"

# the base install is enough to run; the stamp of each is newer than pyproject.toml when it is up to date
$(VENV)/.base: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Jointwatch needs Python 3.11 or newer: make PYTHON=python3.11 $(MAKECMDGOALS)" >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV) || \
	  { echo "$(PYTHON) cannot make an environment; on Debian, install python3-venv" >&2; exit 2; }
	$(PIP) --editable .
	@touch $@

$(VENV)/.dev: pyproject.toml | $(VENV)/.base
	$(PIP) --editable '.[dev]'
	@touch $(VENV)/.base $@

$(VENV)/.bench: pyproject.toml | $(VENV)/.base
	$(PIP) --editable '.[bench]'
	@touch $(VENV)/.base $@

install: $(VENV)/.dev

# ends with the sentence, the three pictures side by side, and the report's path
run: $(VENV)/.base
	@$(BIN)/jointwatch run $(SCENARIO) --out $(OUT)

# the checks of the source beside the compiling: either leaves a core idle for half a minute
test: install
	@$(MAKE) --no-print-directory --jobs=2 lint kernels
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# by two processes, each its part: or each of those that test would compile all of it
kernels: install
	$(BIN)/jointwatch warm

bench: $(VENV)/.bench
	$(BIN)/python benchmarks/speed.py

format: install
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# what the tests need of the system: a browser, to look at the report, and another's check of XML signatures
# (tests that need one are skipped without)
system-deps:
	@if command -v chromium >/dev/null && command -v xmlsec1 >/dev/null; then \
	  echo "chromium and xmlsec1 are installed already"; \
	elif ! command -v apt-get >/dev/null; then \
	  echo "make system-deps knows Debian only: install chromium and xmlsec1 by your system's own means" >&2; exit 2; \
	elif [ "$$(id -u)" != 0 ]; then \
	  echo "make system-deps installs packages and must be run by root: sudo make system-deps" >&2; exit 2; \
	else apt-get update -qq && \
	  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium xmlsec1; \
	fi

clean:
	rm -rf $(VENV) out build dist src/*.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

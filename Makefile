# What people run. `make demo` and `make test` need only Python 3.11 or newer, make and a package index.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check

# Many images set it: then each process of the tests compiles all of them anew, two thirds of its start.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help install demo test test-all faults accuracy bench shots check run lock

help:
	@echo "make demo     a made-up company runs through the real worker; ends with its report"
	@echo "make test     all tests, but the long ones"
	@echo "make test-all all of them: an hour"
	@echo "make faults   the worker killed, cut off and lied to; the long ones too"
	@echo "make accuracy how well replies are read: every labelled one that is read otherwise"
	@echo "make bench    how fast and how big it is here: a table, and bench/RESULTS.md"
	@echo "make shots    the pictures of reports in docs/, anew; needs a Chromium"
	@echo "make check    format, lint and types"
	@echo "make install  the command: .venv/bin/sarafan"
	@echo "make run      the worker with ./config.toml"
	@echo "make lock     pin the newest versions that pyproject.toml allows"

install: .venv/installed

demo: .venv/installed
	$(BIN)/sarafan demo

test: .venv/installed-dev
	$(BIN)/python -m pytest -n 4 --dist worksteal

test-all: .venv/installed-dev
	$(BIN)/python -m pytest -n 4 --dist worksteal -m "long or not long"

faults: .venv/installed-dev
	$(BIN)/python -m pytest -n 4 --dist worksteal -m "long or not long" tests/faults

accuracy: .venv/installed-dev
	$(BIN)/python -m tests.rules.accuracy

bench: .venv/installed-dev
	$(BIN)/python -m bench

shots: .venv/installed-dev
	$(BIN)/python -m tests.shots

check: .venv/installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

run: .venv/installed
	$(BIN)/sarafan run

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed. Name it: make PYTHON=python3.12 …" >&2; exit 1; }
	$(PYTHON) -m venv .venv || { rm -rf .venv; exit 1; }

.venv/installed: .venv/bin/python requirements.txt pyproject.toml
	$(PIP) install --quiet --no-compile --require-hashes -r requirements.txt
	$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	$(BIN)/python -m compileall -q -j 0 .venv/lib  # on all cores; pip would take one
	@touch $@

.venv/installed-dev: .venv/installed requirements-dev.txt
	$(PIP) install --quiet --no-compile --require-hashes -r requirements-dev.txt
	@touch $@

# No address of an index goes into the files: everybody installs from the one that their pip knows.
LOCK := $(BIN)/pip-compile --upgrade --quiet --all-build-deps --allow-unsafe --generate-hashes \
	--no-emit-find-links --no-emit-index-url --no-emit-trusted-host --strip-extras

lock: .venv/installed-dev
	$(PIP) install --quiet pip-tools
	$(LOCK) --output-file=requirements.txt pyproject.toml
	$(LOCK) --constraint=requirements.txt --extra=dev --output-file=requirements-dev.txt pyproject.toml

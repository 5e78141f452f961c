# Every target may be the first one called, and called again: what is done is not done twice.
# ARGS is handed on: make test ARGS=tests/unit (without the bar for coverage, which is for all
# tests together), make lock ARGS=--upgrade.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.PHONY: setup run lint test bench lock audit

PYTHON ?= python3
BIN := .venv/bin
SERVERS := postgresql rabbitmq-server redis-server chromium chromium-driver opendkim postfix nginx libnet-smpp-perl

setup: .venv/.installed

run: setup
	@exec $(BIN)/tidings up

lint: setup .venv/.audited
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports

test: setup .venv/.servers
ifdef ARGS
	$(BIN)/pytest $(ARGS)
else
	$(BIN)/pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder --cov
endif

bench: setup .venv/.servers
	$(BIN)/python -m bench $(ARGS)

# Asks PyPI what is known against the locked dependencies; `lint` does once for every lock, so CI,
# which begins with an empty folder, always.
audit: setup
	$(BIN)/python .ci/audit.py --requirement requirements.lock --require-hashes --disable-pip

.venv/.audited: requirements.lock | .venv/.installed
	@$(MAKE) --no-print-directory audit
	@touch $@

# For every Python and platform that the project supports, whatever this one is.
lock: setup
	$(BIN)/uv pip compile pyproject.toml --quiet --output-file requirements.lock $(ARGS) \
	  --all-extras --universal --python-version 3.11 --generate-hashes \
	  --no-config --custom-compile-command 'make lock'

.venv/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or later is needed") if sys.version_info < (3, 11) else 0'
	$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || .ci/apt-install python3-venv
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --only-binary :all: --require-hashes --requirement requirements.lock
	PYTHONWARNINGS=ignore $(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.servers: Makefile tests/peers/package-lock.json | .venv/.installed
	.ci/apt-install $(SERVERS)
	command -v npm >/dev/null || .ci/apt-install nodejs npm
	npm ci --prefix tests/peers --ignore-scripts --no-audit --no-fund --silent
	@touch $@

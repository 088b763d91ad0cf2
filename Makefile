# `make` alone tells what there is. Nothing here needs Docker.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# The operating system's Python is compiled with profiles; one from a version manager rarely is, and
# needs 1.6 times as long for plain loops.
PYTHON ?= $(shell /usr/bin/python3 -c "import sys, ensurepip; sys.exit(sys.version_info < (3, 11))" \
  2>/dev/null && echo /usr/bin/python3 || echo python3)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.made-from-requirements
ARGS ?=

export PYTHONUNBUFFERED := 1

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: venv ## Start everything and a month of a sample county; ends with the addresses
	@$(BIN)/python -m deploy.local.install servers
	@$(BIN)/python -m deploy.local.demo up

down: ## Stop the demo; its data stay
	@test -x $(BIN)/python || { echo "Nothing of Luotsi's demo is running in this checkout."; exit 0; }; \
	  $(BIN)/python -m deploy.local.demo down

clean: ## Stop the demo and forget its data
	@test -x $(BIN)/python || { echo "There is nothing to forget."; exit 0; }; \
	  $(BIN)/python -m deploy.local.demo clean

test: venv ## Checks and the test suite, on a real Kafka and PostgreSQL of its own
	@$(BIN)/python -m deploy.local.install all
	@$(MAKE) check
	@$(BIN)/python -m pytest -n 2 --dist loadfile $(ARGS)

test-faults: venv ## Kills, outages and hostile input (about 40 minutes)
	@$(BIN)/python -m deploy.local.install all
	@$(BIN)/python -m pytest -m faults $(ARGS)

bench: venv ## Measure each hop against the raw limit of this machine
	@$(BIN)/python -m deploy.local.install servers
	@$(BIN)/python -m tests.bench $(ARGS)

newcomer: venv ## Follow docs/integration.md to the letter, against the clock
	@$(BIN)/python -m tests.journey.newcomer

check: venv ## ruff and mypy, without tests
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet . || { echo "Some files are not formatted: make format" >&2; exit 1; }
	@$(BIN)/mypy --no-error-summary

format: venv ## Put the code into the project's shape
	@$(BIN)/ruff check --quiet --fix . || true
	@$(BIN)/ruff format .

contracts: venv ## Write the checked-in schemas of events and APIs anew
	@$(BIN)/python -m tests.contract.generate

where: venv ## Each hop, time and state of a message: make where ID=<its source's id>
	@$(BIN)/python -m deploy.cli where "$(ID)"

migrate: venv ## Bring the database at LUOTSI_DATABASE_URL to the newest schema
	@$(BIN)/python -m shared.migrate

requirements: ## Resolve requirements*.in anew into the hashed files
	@test -x .luotsi/uv/bin/uv || { $(PYTHON) -m venv .luotsi/uv && .luotsi/uv/bin/pip install --quiet uv; }
	@for name in requirements requirements-dev; do \
	  .luotsi/uv/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-emit-find-links --no-annotate --no-header -o $$name.txt $$name.in; \
	done

venv: $(STAMP) ## The virtual environment, from the hashed requirements

$(STAMP): requirements-dev.txt
	@$(PYTHON) -m deploy.local.install python
	@echo "Installing the Python packages into $(VENV) ..."
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt \
	  || { rm -rf $(VENV); echo "The Python packages could not be installed: see the lines above." >&2; exit 1; }
	@touch $@

.PHONY: help demo down clean test test-faults bench newcomer check format contracts where migrate requirements venv

PYTHON ?= python3
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
PIP_INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install serve test test-all snapshots lint format lock clean

help: ## Print the targets
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/\1\t\2/p' $(MAKEFILE_LIST) | awk -F '\t' '{printf "make %-9s %s\n", $$1, $$2}'

install: $(VENV)/all.stamp ## Make .venv with everything a person or CI needs

serve: $(VENV)/publish.stamp ## Publish the example model into .store and serve it on port 8000 (PORT=...)
	@uri=$$($(BIN)/python -m service.example .store) && \
	echo "Open http://localhost:$(PORT)/docs, or http://localhost:$(PORT)/ready and /model; stop with Ctrl-C" && \
	ALPHARD_MODEL_URI="$$uri" ALPHARD_HOST=127.0.0.1 ALPHARD_PORT=$(PORT) exec $(BIN)/python -m service serve

test: lint ## Lint, type-check and test
	$(BIN)/python -m pytest -m "not slow"

test-all: lint ## The same, with the tests that take minutes
	$(BIN)/python -m pytest

snapshots: $(VENV)/all.stamp ## Write the snapshots of the stacks again, for a reviewer to read
	rm -rf tests/stacks/__snapshots__
	$(BIN)/python -m pytest tests/stacks/test_snapshots.py -k what_its_snapshot_says --snapshot-update

lint: $(VENV)/all.stamp ## Lint and type-check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/all.stamp ## Format the code and mend what the linter can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: $(VENV)/all.stamp ## Resolve the pinned requirements again from pyproject.toml
	$(LOCK) --all-extras pyproject.toml -o requirements.txt
	$(LOCK) --extra fallback -c requirements.txt pyproject.toml -o docker/requirements-fallback.txt
	$(LOCK) --extra lambda -c requirements.txt pyproject.toml -o docker/requirements-lambda.txt
	$(LOCK) --extra publish -c requirements.txt pyproject.toml -o docker/requirements-publish.txt
	$(LOCK) -c requirements.txt pyproject.toml -o docker/requirements-serve.txt

clean: ## Remove the environment, the local store and every cache
	rm -rf $(VENV) .store .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

LOCK = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --custom-compile-command "make lock"

$(VENV)/all.stamp: requirements.txt | $(VENV)/bin/python
	$(PIP_INSTALL) -r requirements.txt
	@touch $(VENV)/publish.stamp $@

$(VENV)/publish.stamp: docker/requirements-publish.txt | $(VENV)/bin/python
	$(PIP_INSTALL) -r docker/requirements-publish.txt
	@touch $@

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else f"Python 3.11 or newer is needed, not {sys.version.split()[0]}: set PYTHON=...")'
	$(PYTHON) -m venv $(VENV)

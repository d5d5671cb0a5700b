# Every target sets up what it needs. A fresh machine needs python3 (3.11 or later), make and git.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
ARGS ?=

# Where it is set, each of the hundreds of programs that tests start compiles opsroom anew.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help demo test test-slow check docs bench lock build clean

help: ## Show what there is to make
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  \1\t/' | expand -t 14

$(READY): requirements.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: $(READY) ## Start opsroom with a small living world (ARGS=--once ends by itself)
	$(BIN)/opsroom demo $(ARGS)

test: $(READY) ## Run the tests (installs Debian's browser and database where it may)
	@bash tools/debian-packages
	$(BIN)/python -m pytest -n 3 $(ARGS)

test-slow: $(READY) ## Simulations, kills and load: everything that takes minutes
	@bash tools/debian-packages
	$(BIN)/python -m pytest -n 3 -m slow $(ARGS)

check: $(READY) ## Lint, types and the order of the folders
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pyright
	$(BIN)/lint-imports

docs: $(READY) ## Write the reference from the code
	$(BIN)/python tools/reference.py

bench: $(READY) ## Measure; one table, JSON in benchmarks/results
	$(BIN)/python benchmarks/run.py $(ARGS)

build: $(READY) ## Build the wheel
	$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .

lock: ## Write requirements.lock anew from pyproject.toml
	$(BIN)/pip-compile --quiet --extra server --extra dev --all-build-deps --generate-hashes --allow-unsafe \
	  --strip-extras --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-emit-options --no-header \
	  --output-file requirements.lock pyproject.toml

clean: ## Remove what was built; keeps .opsroom
	rm -rf .venv dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis

# `make run` and `make test` do all the set-up a fresh machine needs. PYTHON names the interpreter to start from.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Install only what the lock names, with the hashes that it gives.
INSTALL = $(BIN)/pip install --quiet --disable-pip-version-check --require-hashes
# Install this project itself, with the build backend of the lock, for the command `product-importer`.
INSTALL_PROJECT = $(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
# One lock for every Python from 3.11 and every platform; it does not name this machine's package index.
COMPILE = $(BIN)/uv pip compile --quiet --no-config --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock' $(LOCK)

.PHONY: help run dev lint unit test faults soak bench screenshots lock
.DEFAULT_GOAL := help

help: ## list these targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1|/' | column -t -s '|'

run: $(VENV)/run.stamp ## start everything and print the page's address; Ctrl-C stops it
	@exec $(BIN)/python -m product_importer up

dev: $(VENV)/run.stamp ## start everything with hot reload
	@exec $(BIN)/python -m product_importer dev

lint: $(VENV)/test.stamp ## check format, lint, types and architecture
	@exec $(BIN)/python -m tests.lint

unit: $(VENV)/test.stamp ## run the tests that need neither servers nor processes
	@exec $(BIN)/python -m pytest --quiet -n 2 -p tests.unit -p no:schemathesis

test: $(VENV)/test.stamp ## run every check: format, lint, types, architecture, tests on real servers and in a browser
	@exec $(BIN)/python -m tests

faults: $(VENV)/test.stamp ## test crashes and outages for about an hour; FAULTS_SEED=… repeats a run
	@FAULTS=long $(BIN)/python -m pytest tests/faults tests/webhooks/test_faults.py tests/catalog/test_export.py \
		tests/catalog/search/test_oracle.py tests/imports/columns/test_names.py tests/imports/pipeline/test_oracle.py

soak: $(VENV)/test.stamp ## work and kill for an hour, and check that nothing grows; SOAK_MINUTES=… is another length
	@exec $(BIN)/python -m soak

bench: $(VENV)/test.stamp ## measure speed and memory in about 20 minutes; BENCH_ROWS=5000000 instead of 500,000 products
	@exec $(BIN)/python -m bench

screenshots: $(VENV)/test.stamp ## write docs/screenshots: every page, light and dark, wide and narrow, and an animation
	@exec $(BIN)/python -m screenshots

lock: $(VENV)/test.stamp ## compile requirements*.txt from requirements*.in; LOCK=--upgrade also raises versions that are locked
	@$(COMPILE) requirements.in --output-file requirements.txt
	@$(COMPILE) requirements-dev.in --output-file requirements-dev.txt

$(VENV)/run.stamp: requirements.txt pyproject.toml | $(VENV)/bin/pip
	@echo "Installing packages …"
	@$(INSTALL) -r requirements.txt
	@$(INSTALL_PROJECT)
	@touch $@

$(VENV)/test.stamp: requirements.txt requirements-dev.txt pyproject.toml | $(VENV)/bin/pip
	@echo "Installing packages, also those of the tests …"
	@$(INSTALL) -r requirements-dev.txt
	@$(INSTALL_PROJECT)
	@touch $@ $(VENV)/run.stamp

$(VENV)/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; this is " + sys.version.split()[0] + ". Name another with: make run PYTHON=python3.12")'
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "A virtual environment cannot be made; on Debian: apt-get install python3-venv" >&2; exit 1; }

# `make run` and `make test` do all the set-up a fresh machine needs. PYTHON names the interpreter to start from.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Nothing but what the lock names is installed, and every file's hash must be one that stands there.
INSTALL = $(BIN)/pip install --quiet --disable-pip-version-check --require-hashes
# Then this project itself, with the build backend of the lock: the command `product-importer`.
INSTALL_PROJECT = $(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
# One lock for every Python from 3.11 and every platform, without a word of where this machine gets its packages.
COMPILE = $(BIN)/uv pip compile --quiet --no-config --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock' $(LOCK)

.PHONY: help run dev lint unit test faults bench lock
.DEFAULT_GOAL := help

help: ## what can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1|/' | column -t -s '|'

run: $(VENV)/run.stamp ## start everything and print the page's address; Ctrl-C stops it
	@exec $(BIN)/python -m product_importer up

dev: $(VENV)/run.stamp ## the same with hot reload
	@exec $(BIN)/python -m product_importer dev

lint: $(VENV)/test.stamp ## check format, lint, types and architecture
	@exec $(BIN)/python -m tests.lint

unit: $(VENV)/test.stamp ## run the tests that need neither servers nor processes
	@exec $(BIN)/python -m pytest --quiet -p tests.unit -p no:schemathesis

test: $(VENV)/test.stamp ## run every check: format, lint, types, architecture, tests on real servers and in a browser
	@exec $(BIN)/python -m tests

faults: $(VENV)/test.stamp ## break it for an hour: 100 rounds of kill -9, outages of minutes, 10,000 deliveries; FAULTS_SEED repeats
	@FAULTS=long $(BIN)/python -m pytest tests/faults tests/webhooks/test_faults.py tests/catalog/test_export.py \
		tests/catalog/search/test_oracle.py tests/imports/columns/test_names.py tests/imports/pipeline/test_oracle.py

bench: $(VENV)/test.stamp ## measure what it costs, in about 20 minutes; BENCH_ROWS=5000000 for more than 500,000 products
	@exec $(BIN)/python -m bench

lock: $(VENV)/test.stamp ## compile the lock from requirements*.in; what it names already stays unless LOCK=--upgrade
	@$(COMPILE) requirements.in --output-file requirements.txt
	@$(COMPILE) requirements-dev.in --output-file requirements-dev.txt

$(VENV)/run.stamp: requirements.txt pyproject.toml | $(VENV)/bin/pip
	@echo "Installing what runs …"
	@$(INSTALL) -r requirements.txt
	@$(INSTALL_PROJECT)
	@touch $@

$(VENV)/test.stamp: requirements.txt requirements-dev.txt pyproject.toml | $(VENV)/bin/pip
	@echo "Installing what runs and what tests …"
	@$(INSTALL) -r requirements-dev.txt
	@$(INSTALL_PROJECT)
	@touch $@ $(VENV)/run.stamp

$(VENV)/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; this is " + sys.version.split()[0] + ". Name another with: make run PYTHON=python3.12")'
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "A virtual environment cannot be made; on Debian: apt-get install python3-venv" >&2; exit 1; }

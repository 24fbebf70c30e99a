# `make run` and `make test` do all the set-up a fresh machine needs. PYTHON names the interpreter to start from.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help run dev test faults bench
.DEFAULT_GOAL := help

help: ## what can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1|/' | column -t -s '|'

run: $(VENV)/run.stamp ## start everything and print the page's address; Ctrl-C stops it
	@exec $(BIN)/python -m product_importer up

dev: $(VENV)/run.stamp ## the same with hot reload
	@exec $(BIN)/python -m product_importer dev

test: $(VENV)/test.stamp ## run every check: format, lint, types, architecture, tests on real servers and in a browser
	@exec $(BIN)/python -m tests

faults: $(VENV)/test.stamp ## break it for an hour: 100 rounds of kill -9, outages of minutes, 10,000 deliveries; FAULTS_SEED repeats
	@FAULTS=long $(BIN)/python -m pytest tests/faults tests/webhooks/test_faults.py

bench: $(VENV)/test.stamp ## measure what it costs, in about 20 minutes; BENCH_ROWS=5000000 for more than 500,000 products
	@exec $(BIN)/python -m bench

$(VENV)/run.stamp: requirements.txt | $(VENV)/bin/pip
	@echo "Installing what runs …"
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/test.stamp: requirements.txt requirements-dev.txt | $(VENV)/bin/pip
	@echo "Installing what runs and what tests …"
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@ $(VENV)/run.stamp

$(VENV)/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; this is " + sys.version.split()[0] + ". Name another with: make run PYTHON=python3.12")'
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "A virtual environment cannot be made; on Debian: apt-get install python3-venv" >&2; exit 1; }

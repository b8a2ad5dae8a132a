# Each target is one line that can be typed by hand; the first one makes the virtual environment when it is missing.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test lint packs sabotage bench slow docs clean

$(VENV)/.ready: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "FileBridge needs Python 3.11 or newer: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable . --group dev
	@touch $@

demo: $(VENV)/.ready  ## the whole loop against the sandbox, in a temporary workspace
	@$(BIN)/filebridge demo

test: $(VENV)/.ready  ## the tests, in under 4 minutes; four at once, since many of them wait
	$(BIN)/python -m pytest --numprocesses 4 --dist worksteal

lint: $(VENV)/.ready  ## form, types, floors
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

packs: $(VENV)/.ready  ## the vendor packs, against the installed command line, one line each
	$(BIN)/python tests/packs

sabotage: $(VENV)/.ready  ## mistakes made in copies of the project: the tests must turn red at each
	$(BIN)/python tests/sabotage

slow: $(VENV)/.ready  ## long sweeps, two at once
	$(BIN)/python -m pytest -m slow --numprocesses 2 --dist worksteal

bench: $(VENV)/.ready  ## ratios against the script that users write, in one run
	$(BIN)/python -m benchmarks

docs: $(VENV)/.ready  ## write the generated reference pages again
	$(BIN)/python -m tests.docs_pages

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

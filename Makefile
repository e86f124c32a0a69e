# `make` lists what there is.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help demo docs test test-all plain lint format rendered wheel check-wheel bench clean

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' Makefile | awk -F'|' '{printf "%-11s %s\n", $$1, $$2}'

demo: $(VENV)/installed  ## simulate, fit, summarize and plot, on real and on simulated data, into demo/
	PATH="$(abspath $(BIN)):$$PATH" sh docs/demo.sh

docs: $(VENV)/tested  ## the pages of docs/ as a site, into site/; begin at site/docs/index.html
	$(BIN)/python -m sphinx -q -W -b html -c docs -d site/.trees . site

# What samples takes all cores by itself.
test: plain  ## lint, types, and the tests but the slow ones
	$(BIN)/pytest -m "stan and not slow"

test-all: plain  ## all tests, the slow ones too
	$(BIN)/pytest -m "stan or slow"

plain: $(VENV)/tested lint  ## lint, types, and the tests that neither compile nor sample
	$(BIN)/pytest -n auto -m "not slow and not stan"

lint: $(VENV)/tested  ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/tested  ## let ruff lay out the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

rendered: $(VENV)/tested  ## write stan_models/rendered/ and docs/commands.md anew
	$(BIN)/python -m tests.render

wheel: $(VENV)/installed  ## a wheel that carries all Stan programs compiled, into dist/
	HIERFIT_WHEEL_PROGRAMS=1 $(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir dist .
	ls -l dist/*.whl

check-wheel: $(VENV)/tested  ## build that wheel, install it where there is no compiler and no httpstan, and fit
	$(BIN)/pytest -s tests/test_wheel.py

bench: $(VENV)/installed  ## time hierfit against its peers; BENCH="--quick" is one of many options
	$(BIN)/python -m bench $(BENCH)

clean:  ## remove the virtual environment, wheels, the site and the demo
	rm -rf $(VENV) dist demo site

$(VENV)/installed: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("hierfit needs Python 3.11 or newer: make PYTHON=python3.12") if sys.version_info < (3, 11) else None'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

$(VENV)/tested: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	touch $@

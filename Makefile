# `make demo` and `make test` do all the set-up: Python >= 3.11, make and a C++ compiler suffice.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
SOURCES := $(wildcard native/*) pyproject.toml constraints.txt
DEMO_PROGRAMS := mirbench/adpcm mirbench/bitcount mirbench/crc mirbench/json
DEMO_BUDGET := 400

.PHONY: demo test check bench train results clean

demo: $(VENV)/.installed
	$(BIN)/python -m experiments.demo --programs $(DEMO_PROGRAMS) --budget $(DEMO_BUDGET) \
		--folder demo-output

test: $(VENV)/.installed-dev
	$(BIN)/python -m pytest

check: $(VENV)/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.installed
	$(BIN)/mirgym bench engine
	$(BIN)/mirgym bench env
	$(BIN)/mirgym bench size

train: $(VENV)/.installed-dev
	$(BIN)/python -m experiments.train_ppo

# Tables and figures of the README from the files in results/; ARGS=--fresh makes these again.
results: $(VENV)/.installed-dev
	$(BIN)/python -m experiments.results $(ARGS)

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

# Installed editable, so that the sources in use are the ones you see.
$(VENV)/.installed: $(VENV)/bin/python $(SOURCES)
	$(BIN)/python -m pip install --quiet -c constraints.txt -e .
	touch $@

# Not after the above: each of the two compiles the engine.
$(VENV)/.installed-dev: $(VENV)/bin/python $(SOURCES)
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[dev]"
	touch $(VENV)/.installed $@

clean:
	rm -rf $(VENV) build

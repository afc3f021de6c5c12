# make train   the whole chain on this machine; make test   lint, types and all tests. Both install what they need first.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help train test lint bench

help:  ## show this text
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/'

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

train: $(STAMP)  ## problems, diagrams, checks, GRPO with verl, AVG@4, report: about 10 minutes (ARGS="seed=1" to change)
	$(BIN)/python train.py $(ARGS)

test: $(STAMP) lint  ## lint, types, fast tests, then the slow ones with real runs of verl
	$(BIN)/python -m pytest -q -m "not slow"
	$(BIN)/python -m pytest -q -m slow

lint: $(STAMP)  ## ruff and mypy --strict
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(STAMP)  ## the project's own measurements
	$(BIN)/python benchmarks/glassbox.py

# make train   the whole chain on this machine; make test   lint, types and all tests. Both install what they need first.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
PYTEST := $(BIN)/python -m pytest -q

.DEFAULT_GOAL := help
.PHONY: help train dashboard test slow-clusters slow-others lint bench

help:  ## show this text
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/'

# Not compiled on installing: that takes a minute for 30,000 files, and what is used is compiled when it is first used.
$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --no-compile --constraint constraints.txt --editable '.[dev]'
	@touch $@

train: $(STAMP)  ## problems, diagrams, checks, GRPO with verl, AVG@4, report: about 10 minutes (ARGS="seed=1" to change)
	$(BIN)/python train.py $(ARGS)

dashboard: $(STAMP)  ## curves of runs as one local page, without W&B (RUNS="outputs/a outputs/b"; all below outputs/ by default)
	$(BIN)/python -m scigen.analysis.dashboard page $(RUNS) --out outputs/dashboard.html

test: $(STAMP) lint  ## lint, types, fast tests, then the slow ones with real runs of verl
	$(PYTEST) -m "not slow" -n 2 --dist loadfile
	$(MAKE) --no-print-directory -j2 --output-sync=target slow-clusters slow-others

# Two processes for two cores: more of them, and what a test waits for comes too late. Runs of verl and of Slurm stay in
# one of them, as two at a time would take each other's ports and 6 GB each.
CLUSTERS := tests/e2e tests/training tests/slurm tests/app/test_evaluation.py

slow-clusters: $(STAMP)
	$(PYTEST) -m slow $(CLUSTERS)

slow-others: $(STAMP)
	OMP_NUM_THREADS=1 $(PYTEST) -m slow $(CLUSTERS:%=--ignore=%)

lint: $(STAMP)  ## ruff and mypy --strict
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(STAMP)  ## the project's own measurements
	$(BIN)/python benchmarks/glassbox.py

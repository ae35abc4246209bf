# Every verb makes .venv itself when it is missing or stale (scripts/setup); when nothing changed that takes no time.
.DEFAULT_GOAL := help
.PHONY: demo test check docs bench clean help setup

PYTHON ?= python3
export PYTHON
# Worker processes share the cores: more threads in each would only wait for one another.
export OMP_NUM_THREADS ?= 1
# Tests start hundreds of processes; each would compile the package anew.
unexport PYTHONDONTWRITEBYTECODE
BIN := .venv/bin

help: ## show this list
	@echo "make VERB, where VERB is one of"
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  \1 \2/p' Makefile | while read -r verb text; do printf '  %-6s %s\n' "$$verb" "$$text"; done

demo: setup ## learn, measure and look at a representation
	@$(BIN)/unbraid demo

# Three on two cores: while some test waits for a cluster, a killed command or a lock, two others compute.
test: setup ## run every test, slow ones and docstring examples included
	@$(BIN)/python -m pytest -n 3 --dist worksteal --doctest-modules tests src

check: setup ## format, lint, types and import floors, as CI checks them
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy --strict
	$(BIN)/lint-imports

docs: ## build the documentation into docs/_build/html; a warning is an error
	@scripts/setup dev docs
	@$(BIN)/python -m sphinx -W --keep-going -q -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"

bench: setup ## run every script in benchmarks/ in turn and write what they print to benchmarks/RESULTS.md
	@$(BIN)/python benchmarks/_all.py

clean: ## remove .venv and everything that was made
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis dist docs/_build docs/generated
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

setup:
	@scripts/setup

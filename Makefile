# The two commands: `make demo` and `make test`. Both set up what they need; a second run finds it there.
PYTHON ?= python3
BIN := .venv/bin
SHELL := /bin/bash

.PHONY: help demo test check fix bench reference pictures clean
help:
	@echo "make demo    run the main job on real EUR/USD bars and write a report"
	@echo "make test    run the tests"
	@echo "make check   format, lint, types, import contracts, doctests and documents"
	@echo "make fix     format and mend what can be mended"
	@echo "make bench   measure the numbers of benchmarks/RESULTS.md beside their peers"
	@echo "make reference  write docs/reference anew from the catalog"
	@echo "make pictures  take the README's picture of the report again (needs Chromium)"

.venv/demo: pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing (once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[demo]"
	@touch $@

.venv/dev: .venv/demo
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	@touch $@

demo: .venv/demo
	@$(BIN)/feature-store demo

test: .venv/dev
	@$(BIN)/python -m pytest -n auto

check: .venv/dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q --doctest-modules src tools
	$(BIN)/python -m pytest -q tests/test_documents.py

fix: .venv/dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: .venv/dev
	$(BIN)/python -m benchmarks

reference: .venv/dev
	@$(BIN)/python -m tools.reference

clean:
	rm -rf .venv build dist src/*.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

CHROMIUM ?= chromium
pictures: demo
	@$(CHROMIUM) --headless --no-sandbox --disable-gpu --hide-scrollbars --disable-background-networking --no-first-run \
		--user-data-dir=$$(mktemp -d) --virtual-time-budget=8000 --window-size=1180,1400 \
		--screenshot=docs/images/report.png file://$(CURDIR)/demo/report.html

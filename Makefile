# Every target installs what it needs into .venv; nothing is installed outside the checkout.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
COMPILE := $(BIN)/python -m compileall -q src/taskwell
export UV_PROJECT_ENVIRONMENT := $(VENV)
export UV_COMPILE_BYTECODE := 1
unexport PYTHONDONTWRITEBYTECODE  # every process that a test starts would compile everything anew

.PHONY: help run install test fuzz check fix bench chaos lock openapi reference examples docs

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: $(VENV)/.run  ## install, migrate and serve on SQLite at http://127.0.0.1:8000 (PORT, HOST override)
	@exec $(BIN)/taskwell serve

install: $(VENV)/.dev  ## make .venv with everything for development

test: $(VENV)/.dev  ## run every test on SQLite and PostgreSQL, or those that TESTS names (COVERAGE=1 measures)
	@$(BIN)/pytest -n auto --dist worksteal $(if $(COVERAGE),--cov --cov-report=term) $(TESTS)

fuzz: $(VENV)/.dev  ## send hostile input for longer, other each time (FUZZ_EXAMPLES=100 for each operation)
	@FUZZ_EXAMPLES=$${FUZZ_EXAMPLES:-100} $(BIN)/pytest -n auto tests/security/test_hostile_input.py

check: $(VENV)/.dev  ## format, lint, types, import rules, and whether the guides hold together
	@$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/mypy && $(BIN)/lint-imports --no-cache
	@$(BIN)/python -m scripts.site

fix: $(VENV)/.dev  ## format, and mend what the linter can mend
	@$(BIN)/ruff format . ; $(BIN)/ruff check --fix .

openapi: $(VENV)/.dev  ## write the OpenAPI documents anew
	@for name in v1 todos user_tasks; do $(BIN)/taskwell openapi $$name > openapi/$$name.json; done

reference: $(VENV)/.dev  ## write the guides' tables of settings, commands and errors anew
	@$(BIN)/python -m scripts.reference

examples: $(VENV)/.dev  ## run the guides' examples, and write what a server answers
	@$(BIN)/python -m scripts.examples

docs: $(VENV)/.dev  ## build the guides and show them at http://127.0.0.1:8001 (DOCS_PORT overrides)
	@$(BIN)/python -m scripts.site && exec $(BIN)/python -m http.server $${DOCS_PORT:-8001} --bind 127.0.0.1 --directory site/html

bench: $(VENV)/.dev $(VENV)/.bench  ## measure Taskwell beside its peers (needs wrk); BENCH="--seconds 2" passes options
	@PATH="$(BIN):$$PATH" PYTHONPATH=. $(BIN)/python -m benchmarks.run $(BENCH)

chaos: $(VENV)/.dev  ## kill servers at random moments, for longer (CHAOS_ROUNDS=30)
	@CHAOS_ROUNDS=$${CHAOS_ROUNDS:-30} $(BIN)/pytest -n 0 tests/chaos

lock: $(BIN)/uv  ## lock the newest versions that pyproject.toml allows
	@$(BIN)/uv pip compile -q --universal --generate-hashes --no-header --no-annotate --upgrade pyproject.toml -o requirements/run.txt
	@$(BIN)/uv pip compile -q --universal --generate-hashes --no-header --no-annotate --upgrade --group dev -c requirements/run.txt pyproject.toml -o requirements/dev.txt
	@$(BIN)/uv pip compile -q --universal --generate-hashes --no-header --no-annotate --upgrade --group bench -c requirements/dev.txt -o requirements/bench.txt

$(BIN)/uv:
	@$(PYTHON) -m venv $(VENV) && $(BIN)/python -m pip install -q --disable-pip-version-check uv

$(VENV)/.run: $(BIN)/uv requirements/run.txt pyproject.toml
	@test -e $(VENV)/.dev || $(BIN)/uv pip install -q --python $(BIN)/python --require-hashes -r requirements/run.txt
	@$(BIN)/uv pip install -q --python $(BIN)/python --no-deps -e . && $(COMPILE) && touch $@

$(VENV)/.dev: $(BIN)/uv requirements/dev.txt pyproject.toml
	@$(BIN)/uv pip install -q --python $(BIN)/python --require-hashes -r requirements/dev.txt
	@$(BIN)/uv pip install -q --python $(BIN)/python --no-deps -e . && $(COMPILE) && touch $@ $(VENV)/.run

$(VENV)/.bench: $(BIN)/uv requirements/bench.txt
	@$(BIN)/uv pip install -q --python $(BIN)/python --require-hashes -r requirements/bench.txt && touch $@

# Every target installs what it needs into .venv; nothing is installed outside the checkout.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
JOBS ?= $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 1) + 2)')
COMPILE := $(BIN)/python -m compileall -q src/taskwell
RENDER = status=$$?; $(BIN)/python -m scripts.reliability; exit $$status
BUN := benchmarks/peers/bun
LOCK := $(BIN)/uv pip compile -q --universal --generate-hashes --no-header --no-annotate --upgrade
export UV_PROJECT_ENVIRONMENT := $(VENV)
export UV_COMPILE_BYTECODE := 1
unexport PYTHONDONTWRITEBYTECODE  # every process that a test starts would compile everything again

.PHONY: help run install test interop fuzz check fix bench growth crowd chaos faults races model soak image load audit lock revision openapi \
	reference examples picture docs

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: $(VENV)/.run  ## install, migrate and serve on SQLite at http://127.0.0.1:8000 (PORT, HOST override)
	@exec $(BIN)/taskwell serve

install: $(VENV)/.dev  ## make .venv with everything for development

test: $(VENV)/.dev  ## run every test that needs Python alone, or those that TESTS names (COVERAGE=1 measures)
	@$(BIN)/pytest -n $(JOBS) --dist worksteal $(if $(COVERAGE),--cov --cov-report=term) $(or $(TESTS),--ignore tests/interop)

interop: $(VENV)/.dev  ## run the tests with foreign peers: Node, Redis, PgBouncer, Chromium (REQUIRE_INTEROP=1 skips none)
	@$(BIN)/pytest -n 2 --dist loadfile tests/interop

fuzz: $(VENV)/.dev  ## send hostile input for longer, other each time (FUZZ_EXAMPLES=100 for each operation)
	@FUZZ_EXAMPLES=$${FUZZ_EXAMPLES:-100} $(BIN)/pytest -n auto tests/security/test_hostile_input.py

check: $(VENV)/.dev  ## format, lint, types, import rules, the shape of the house, and whether the guides hold together
	@$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/mypy && $(BIN)/lint-imports --no-cache
	@! ls src/taskwell/migrations/versions | cut -c 1-4 | sort | uniq -d | grep . || { echo 'two revisions of the schema have that number'; exit 1; }
	@$(BIN)/pytest -q -n 0 tests/test_architecture.py -k 'not imports_run_down'
	@$(BIN)/python -m scripts.site

fix: $(VENV)/.dev  ## format, and fix what the linter can fix
	@$(BIN)/ruff format . ; $(BIN)/ruff check --fix .

revision: $(VENV)/.dev  ## draft a revision of the schema from the models (NAME="Moods of tasks")
	@$(BIN)/python -m scripts.revision "$(NAME)"

openapi: $(VENV)/.dev  ## write the OpenAPI documents
	@for name in v1 v1_by_user todos user_tasks v1_user_tasks; do $(BIN)/taskwell openapi $$name > openapi/$$name.json; done

reference: $(VENV)/.dev  ## write the guides' tables of settings, commands and errors
	@$(BIN)/python -m scripts.reference

examples: $(VENV)/.dev  ## run the guides' examples, and write what a server answers
	@$(BIN)/python -m scripts.examples

picture: $(VENV)/.dev  ## take the picture of docs/start.md again, in Chromium
	@REQUIRE_INTEROP=1 $(BIN)/pytest -n 0 tests/interop/test_browser.py -k creates_a_task
	@cp test-results/api-page-task-created.png docs/api-page.png

docs: $(VENV)/.dev  ## build the guides and show them at http://127.0.0.1:8001 (DOCS_PORT overrides)
	@$(BIN)/python -m scripts.site && exec $(BIN)/python -m http.server $${DOCS_PORT:-8001} --bind 127.0.0.1 --directory site/html

bench: $(VENV)/.dev $(VENV)/.bench $(BUN)/node_modules  ## measure Taskwell beside its peers (needs wrk and npm); BENCH="--seconds 2" passes options
	@PATH="$(BIN):$$PATH" PYTHONPATH=. $(BIN)/python -m benchmarks.run $(BENCH)

load: $(VENV)/.dev $(VENV)/.load  ## realistic users for a minute, on a server of its own or at LOAD_URL (LOAD="--database postgresql")
	@PATH="$(BIN):$$PATH" PYTHONPATH=. $(BIN)/python -m benchmarks.scenario.run $(LOAD)

chaos: $(VENV)/.dev  ## kill servers at random moments (CHAOS_ROUNDS=30), and write it into docs/reliability.md
	@CHAOS_ROUNDS=$${CHAOS_ROUNDS:-30} RELIABILITY_RESULTS=docs/reliability/chaos.json $(BIN)/pytest -n 0 tests/chaos/test_crash.py; $(RENDER)

faults: $(VENV)/.dev  ## break the database, the network, the disk and the clock under load (FAULT_ROUNDS=10)
	@FAULT_ROUNDS=$${FAULT_ROUNDS:-10} RELIABILITY_RESULTS=docs/reliability/faults.json $(BIN)/pytest -n 0 tests/chaos/test_faults.py tests/chaos/test_disk_and_clock.py; $(RENDER)

races: $(VENV)/.dev  ## send many requests at once for the same thing (RACE_ROUNDS=20)
	@RACE_ROUNDS=$${RACE_ROUNDS:-20} RELIABILITY_RESULTS=docs/reliability/races.json $(BIN)/pytest -n 0 tests/chaos/test_races*.py; $(RENDER)

model: $(VENV)/.dev  ## hold many more lives against the model on both databases, others each time (MODEL_EXAMPLES=100)
	@MODEL_EXAMPLES=$${MODEL_EXAMPLES:-100} $(BIN)/pytest -n 0 tests/model

soak: $(VENV)/.dev  ## load both databases for ten minutes (SOAK_SECONDS=600): nothing may grow
	@SOAK_SECONDS=$${SOAK_SECONDS:-600} RELIABILITY_RESULTS=docs/reliability/soak.json $(BIN)/pytest -n 0 tests/chaos/test_soak.py; $(RENDER)

image: $(VENV)/.dev  ## do the steps of deploy/Dockerfile in a folder, and start what they make, without Docker
	@REQUIRE_INTEROP=1 $(BIN)/pytest -n 0 tests/interop/test_image.py

growth: $(VENV)/.dev $(VENV)/.bench  ## measure at 10,000 and at 1,000,000 tasks (GROWTH="--databases sqlite" passes options)
	@PATH="$(BIN):$$PATH" PYTHONPATH=. $(BIN)/python -m benchmarks.growth $(GROWTH)

crowd: $(VENV)/.dev  ## measure what many do at once, while others sign in without a pause
	@PATH="$(BIN):$$PATH" PYTHONPATH=. $(BIN)/python -m benchmarks.crowd $(CROWD)

audit: $(VENV)/.dev  ## ask the Python advisory database about every locked version that runs
	@$(BIN)/uv tool run pip-audit --strict --disable-pip --require-hashes -r requirements/image.txt

lock: $(BIN)/uv  ## lock the newest versions that pyproject.toml allows
	@$(LOCK) pyproject.toml -o requirements/run.txt
	@$(LOCK) --group dev -c requirements/run.txt pyproject.toml -o requirements/dev.txt
	@$(LOCK) --group bench -c requirements/dev.txt -o requirements/bench.txt
	@$(LOCK) --group load -c requirements/dev.txt -o requirements/load.txt
	@$(LOCK) --extra tracing --extra sentry -c requirements/dev.txt pyproject.toml -o requirements/image.txt
	@$(LOCK) --group image -o requirements/build.txt

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

$(BUN)/node_modules: $(BUN)/package-lock.json
	@npm ci --silent --no-audit --no-fund --prefix $(BUN) && touch $@

$(VENV)/.load: $(BIN)/uv requirements/load.txt
	@$(BIN)/uv pip install -q --python $(BIN)/python --require-hashes -r requirements/load.txt && touch $@

# Two environments: .venv serves and holds no torch; .venv-dev holds all that tests and checks need.
# A stamp is written last, so that an interrupted installation is taken up again, and a finished one costs nothing.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# The first that runs, is 3.11 or newer and can make environments. Another: make serve PYTHON=/path/to/python
PYTHON ?= $(shell for one in python3.11 python3.12 python3.13 python3; do \
	$$one -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$one && break; done)
# An exact version, installed first: where pip is offered a CPU build of it ("2.13.0+cpu", from a find-links folder or a
# second index), that build wins. A range such as torch>=2.9 takes the newest CUDA build, which weighs gigabytes.
TORCH ?= torch==2.13.0
# Options of the command behind a target: make serve ARGS="--port 9000"
ARGS ?=

DEV := .venv-dev/bin
# The networks of the tests are tiny: threads of torch would wait for each other, and on a busy machine for minutes.
test test-browser: export OMP_NUM_THREADS := 1
# Installed code is compiled where it is first run, whatever the machine's habit: most of it never is, and compiling all
# takes longer than all else of an installation (`--no-compile` below).
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help
help: ## This list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "make %-13s %s\n", $$1, $$2 }'

.PHONY: serve
serve: .venv/stamp ## The service on http://127.0.0.1:8000, in an environment of its own (ARGS="--port 9000")
	@exec .venv/bin/personne serve $(ARGS)

.PHONY: training
training: .venv-training/stamp ## An environment that trains, imports and exports, too: .venv-training/bin/personne
	@.venv-training/bin/personne --version

.PHONY: test
test: .venv-dev/stamp ## All tests but those in the browser, one process per core (ARGS="-k queue", ARGS="-n 0")
	$(DEV)/python -m pytest -m "not browser" -n auto --dist loadfile --no-loadscope-reorder --max-worker-restart 0 $(ARGS)

.PHONY: test-browser
test-browser: .venv-dev/stamp ## The page in headless Chromium
	$(DEV)/python -m pytest -m browser $(ARGS)

.PHONY: check
check: .venv-dev/stamp ## Format, lint, types, import contracts, dead code, Dockerfiles, compose file
	$(DEV)/ruff format --check .
	$(DEV)/ruff check .
	$(DEV)/mypy
	$(DEV)/lint-imports --no-cache
	$(DEV)/vulture
	$(DEV)/hadolint docker/*.Dockerfile
	@$(MAKE) --no-print-directory check-compose

.PHONY: check-compose
check-compose: ## docker-compose.yml by a compose parser
	@if command -v docker-compose >/dev/null; then docker-compose --profile gpu --profile monitoring --profile webhooks config --quiet; \
	elif docker compose version >/dev/null 2>&1; then docker compose --profile gpu --profile monitoring --profile webhooks config --quiet; \
	else echo "check-compose: neither docker-compose nor docker compose is here, so docker-compose.yml was not parsed"; fi

.PHONY: format
format: .venv-dev/stamp ## Format, and mend what the linter can
	$(DEV)/ruff format .
	$(DEV)/ruff check --fix .

.PHONY: fuzz
fuzz: .venv-dev/stamp ## Ten thousand cases of whatever the OpenAPI document allows, against the real service
	FUZZ_CASES=500 FUZZ_LEAST=10000 $(DEV)/python -m pytest -q -rP tests/app/test_fuzz.py

.PHONY: survival
survival: .venv-dev/stamp ## Outages, half-open sockets, kills and a full memory of Redis, 30 s each (ARGS="--outage 5")
	$(DEV)/python -m benchmarks.survival $(ARGS)

.PHONY: chaos
chaos: .venv-dev/stamp ## 20,000 jobs on a real Redis while 45 workers are killed
	$(DEV)/python -m benchmarks.chaos $(ARGS)

.PHONY: overload
overload: .venv-dev/stamp ## Ten times as much is asked as can be made, for a minute (ARGS="--seconds 20")
	$(DEV)/python -m benchmarks.overload $(ARGS)

.PHONY: restarts
restarts: .venv-dev/stamp ## Every web and every worker is replaced while somebody asks
	$(DEV)/python -m benchmarks.restarts $(ARGS)

.PHONY: long-run
long-run: .venv-dev/stamp ## 100,000 mixed faces and 200 of each slow kind: does anything grow? (ARGS="--faces 2000 --slow 10")
	$(DEV)/python -m benchmarks.long_run $(ARGS)

.PHONY: bench
bench: .venv-dev/stamp ## What the queue and the web cost
	$(DEV)/python -m benchmarks.queue $(ARGS)
	$(DEV)/python -m benchmarks.web $(ARGS)

.PHONY: faces
faces: .venv-dev/stamp ## From a run to the faces that ship, all anew (RUN=runs/faces OUT=FOLDER ARGS="--install")
	$(DEV)/python -m benchmarks.shipping $(RUN) --out $(OUT) $(ARGS)

.PHONY: wheel
wheel: .venv-dev/stamp ## A wheel in dist/
	$(DEV)/python -m pip wheel . --no-deps --wheel-dir dist

.PHONY: clean
clean: ## Remove environments, wheels and caches; runs/ and the store stay
	rm -rf .venv .venv-dev .venv-training build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/stamp: pyproject.toml
	$(call environment,.venv)
	.venv/bin/python -m pip install --quiet --no-compile --editable '.[app,worker]'
	@touch $@

.venv-training/stamp: pyproject.toml
	$(call environment,.venv-training)
	.venv-training/bin/python -m pip install --quiet --no-compile '$(TORCH)'
	.venv-training/bin/python -m pip install --quiet --no-compile --editable '.[app,worker,export,training]'
	@touch $@

.venv-dev/stamp: pyproject.toml
	$(call environment,.venv-dev)
	$(DEV)/python -m pip install --quiet --no-compile '$(TORCH)'
	$(DEV)/python -m pip install --quiet --no-compile --editable '.[dev]'
	@touch $@

# An environment whose pip runs is kept; what an interruption left half made is made anew.
define environment
	@if [ -z "$(PYTHON)" ]; then echo "No Python 3.11 or newer that can make environments is here; on Debian:" \
		"apt-get install python3-venv. Another one: make $@ PYTHON=/path/to/python" >&2; exit 1; fi
	@$(1)/bin/python -m pip --version >/dev/null 2>&1 || { echo "making $(1) with $(PYTHON)"; $(PYTHON) -m venv --clear $(1); }
endef

# make demo: install and run the whole job once; make test: install and prove that it works.
PYTHON ?= python3.11
BIN := .venv/bin

.PHONY: install browser demo test test-all test-faults test-cluster check bench

install: .venv/installed

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --constraint constraints.txt --editable ".[dev,view]"
	touch $@

# Debian's Chromium, in which tests open the comparison page; without it they are skipped.
browser:
	@{ command -v chromium && command -v chromedriver; } > /dev/null \
	|| { [ "$$(id -u)" = 0 ] && apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends chromium chromium-driver > /dev/null; } \
	|| echo "no browser: as root, apt-get install chromium chromium-driver"

demo: install
	$(BIN)/raysweep demo

check: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: check browser
	$(BIN)/pytest -m "not ray and not slow and not gpu" --numprocesses auto --dist loadfile --durations=5
	$(BIN)/pytest -m "ray and not slow and not gpu" --maxfail 3 --durations=5

test-all: check browser
	$(BIN)/pytest -m "not gpu and not cluster"

test-faults: install
	$(BIN)/pytest -m faults --durations=0

test-cluster: install
	$(BIN)/pytest -m cluster tests/deploy

bench: install
	for b in benchmarks/*.py; do $(BIN)/python $$b || exit 1; done

# Two commands on a machine with Python 3.11 and pip: `make run` and `make test`.

PYTHON ?= python3
BIN = .venv/bin
SEED ?= 1
SDK_PYTHON ?= python3.12
SDKS = .axisor/sdk

.PHONY: help run demo test fuzz crash sdk bench switches hour format lock env clean

help:  ## Say what there is to make
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' Makefile | expand -t 16

run: env  ## Start the platform with a paper exchange; Ctrl-C stops it
	@exec $(BIN)/python -m axisor.up

demo: env  ## Beside a running `make run`: let the price fall and watch the guard
	@exec $(BIN)/python -m axisor.demo

test: env  ## Run every check and test, against servers of its own
	@echo "ruff" && $(BIN)/ruff check --quiet && $(BIN)/ruff format --check --quiet
	@echo "import contracts" && $(BIN)/lint-imports --no-logo > .venv/contracts.log || { cat .venv/contracts.log; exit 1; }
	@echo "mypy" && $(BIN)/mypy --no-error-summary
	@echo "pytest" && $(BIN)/python -m pytest -n 2 -q --ignore=tests/crash/test_crash.py
	@echo "crash" && $(BIN)/python -m pytest -q -s tests/crash/test_crash.py

fuzz: env  ## Let the exchange give 100,000 damaged answers, and more over the wire
	@FUZZ_EXAMPLES=100000 $(BIN)/python -m pytest -n 2 -q tests/exchanges/lnmarkets/test_parse_fuzz.py tests/exchanges/lnmarkets/test_wire_fuzz.py

crash: env  ## Put the platform through 1,000 rounds of kills and faults, then through planted bugs
	@$(BIN)/python -m tests.crash --rounds 1000 --seed $(SEED)
	@$(BIN)/python -m tests.crash --planted all --seed $(SEED)
	@$(BIN)/python -m tests.crash --rounds 200 --seed $(SEED) --naive

sdk: env $(SDKS)  ## Put every call of the official SDKs to the paper exchange; needs Python 3.12 and Node 20
	@$(BIN)/python -m tests.sdk

$(SDKS):
	@rm -rf $@.part && $(SDK_PYTHON) -m venv $@.part/python
	@$@.part/python/bin/python -m pip install --quiet --disable-pip-version-check lnmarkets-sdk==0.2.0
	@for version in 1.2.5 2.0.2; do \
		npm install --silent --no-audit --no-fund --prefix $@.part/npm-$$version @ln-markets/sdk@$$version || exit 1; \
	done
	@mv $@.part $@

bench: env  ## Measure feed and HTTP, isolation, the margin monitor and the beat
	@$(BIN)/python -m tests.benchmarks
	@$(BIN)/python -m tests.benchmarks.isolation
	@$(BIN)/python -m tests.benchmarks.monitor
	@$(BIN)/python -m tests.benchmarks.beat
	@$(BIN)/python -m tests.benchmarks.opening

switches: env  ## Switch a user's account to and fro for a minute, 200 times, under load
	@SWITCHES=200 $(BIN)/python -m pytest -q -s tests/automations/test_switch.py

hour: env  ## Watch an hour of virtual market with random faults, in ten minutes
	@HOUR_STEPS=3600 HOUR_TAKES=600 HOUR_SEED=$(SEED) $(BIN)/python -m pytest -q tests/automations/watch/test_hour.py

format: env  ## Put the code into the shape that `make test` wants
	@$(BIN)/ruff check --fix --quiet && $(BIN)/ruff format --quiet

lock: env  ## Write requirements.lock anew from pyproject.toml
	@$(BIN)/python -m pip install --quiet uv
	@$(BIN)/uv pip compile pyproject.toml --extra dev --generate-hashes --universal \
		--python-version 3.11 --no-header --no-annotate --quiet -o requirements.lock

clean:  ## Remove the virtual environment and the caches, not the data
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

env:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 5))' 2> /dev/null || { echo "axisor: Python 3.11 or later is needed and $(PYTHON) is none. Install it, for instance with: sudo apt install python3 python3-venv"; exit 2; }
	@$(PYTHON) axisor/bootstrap.py

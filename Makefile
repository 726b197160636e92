# On a machine with git, make and Python >= 3.11: `make demo` and `make test` do all the set-up themselves.
PYTHON ?= python3
UV := $(or $(shell command -v uv 2>/dev/null),.uv/bin/uv)
MEMBERS := tradeforge_core tradeforge_topstepx tradeforge_bybit tradeforge_testing tradeforge_cli
READY := .venv/.ready
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help demo test check bench scoreboard hours conformance zoo fuzz crash cuts chaos fills soak record format lock clean

help: ## show what can be made
	@awk -F':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

demo: $(READY) ## trade on a local sandbox, no account needed (make demo PROVIDER=bybit)
	@$(BIN)/tradeforge demo --provider $(or $(PROVIDER),topstepx)

# Each group is a process of its own. make hands out the next one whenever another has ended, so the long ones come
# first; three at a time, because many tests wait for a clock or for another program.
LONG := topstepx/order_safety workspace topstepx core bybit testing bybit/conformance topstepx/conformance \
    cli topstepx/fuzz topstepx/chaos topstepx/sandbox
FOLDERS := $(sort $(foreach file,$(wildcard tests/*/test_*.py),$(word 2,$(subst /, ,$(file)))))
GROUPS := $(LONG) $(filter-out $(LONG),$(FOLDERS))
IN_ORDER := $(if $(filter output-sync,$(.FEATURES)),--output-sync=target)

test: check ## everything that must be true, in groups of which three run at once (make test JOBS=2)
	@$(MAKE) --no-print-directory --keep-going --jobs $(or $(JOBS),3) $(IN_ORDER) $(GROUPS:%=group/%)

group/%: $(READY) ## (make group/core runs one of these groups)
	@$(BIN)/pytest -q tests/$* $(patsubst %,--ignore tests/%,$(filter $*/%,$(GROUPS)))

check: $(READY) ## formatting, lint, types, architecture
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fuzz: $(READY) ## a million damaged messages for each decoder (make fuzz SEED=7 for the same ones)
	$(BIN)/pytest tests/topstepx/fuzz -q -s --timeout=3600 --cases=$(or $(CASES),1000000) --seed=$(or $(SEED),0)

crash: $(READY) ## kill a trading program at every point, ten times each (make crash SEEDS=3)
	$(BIN)/pytest tests/topstepx/crashes -q --crash-seeds=$(or $(SEEDS),10)

chaos: $(READY) ## 10,000 runs in which everything fails, each fault a hundred times at least (make chaos SEEDS=500 PROVIDER=bybit LEAST=1)
	$(BIN)/tradeforge chaos $(or $(PROVIDER),topstepx) --seeds $(or $(SEEDS),10000) --least $(or $(LEAST),100)

zoo: $(READY) ## broken providers, each caught by the conformance kit, and the table of what catches which
	$(BIN)/pytest tests/topstepx/conformance/zoo -q -s

fills: $(READY) ## 100,000 fills over 1,000 cuts of a connection that loses, doubles, reorders and delays (make fills DAYS=2)
	$(BIN)/pytest tests/topstepx/chaos/test_flood.py -q --days=$(or $(DAYS),10) --cuts=100

soak: $(READY) ## memory over ten million events of the market: it fails if a MiB is added (make soak COUNT=100000)
	@$(BIN)/python -m benchmarks.memory --count $(or $(COUNT),3400000) --warmup $(or $(WARMUP),300000) --seconds 900 --most 1024

cuts: $(READY) ## cut a journal at every byte, with pages of the usual size too
	$(BIN)/pytest tests/core/orders_journal/test_cuts.py -q --every-byte

record: $(READY) ## record the REST cassettes again, from a sandbox or, with FROM=settings, from your venue (docs/recording.md)
	$(BIN)/pytest tests/topstepx/cassettes -q --record=$(or $(FROM),sandbox)

bench: $(READY) ## what a message costs, beside other clients, how late it comes, memory, an order on record, and the whole way of an order
	@$(BIN)/python -m benchmarks.stream_decode
	@$(BIN)/python -m benchmarks.memory
	@$(BIN)/python -m benchmarks.hand_off
	@$(BIN)/python -m benchmarks.latency
	@$(BIN)/python -m benchmarks.order_book
	@$(BIN)/python -m benchmarks.journal
	@$(BIN)/python -m benchmarks.order_path

scoreboard: $(READY) ## measure lost answers again, and write the table of docs/order-safety.md
	@$(BIN)/python -m benchmarks.scoreboard --write

conformance: $(READY) ## run the conformance kit against every provider, and write its pages of the documentation
	@$(BIN)/python -m tools.conformance_pages

hours: $(READY) ## work out the hours of the markets again, and write the table that is shipped
	@$(BIN)/python -m tools.cme_hours

format: $(READY) ## rewrite the code in the house format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: $(UV) ## resolve the dependencies again into requirements.lock (pins and hashes, no addresses)
	$(UV) pip compile pyproject.toml $(MEMBERS:%=%/pyproject.toml) --group dev --group bench --all-extras --universal \
	    --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header \
	    $(MEMBERS:tradeforge_%=--no-emit-package tradeforge-%) --quiet --upgrade --output-file requirements.lock

clean: ## remove what the set-up made
	rm -rf .venv .uv

$(READY): requirements.lock pyproject.toml $(MEMBERS:%=%/pyproject.toml) | $(UV)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	    || { echo "TradeForge needs Python 3.11 or newer; try: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@test -x $(BIN)/python || $(UV) venv --quiet --python "$$(command -v $(PYTHON))" .venv
	@echo "Setting up .venv (once; a minute at most on a fresh machine)"
	@$(UV) pip sync --quiet --python $(BIN)/python requirements.lock
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation $(MEMBERS:%=-e ./%)
	@touch $@

.uv/bin/uv:
	@echo "Fetching uv into .uv (once)"
	@$(PYTHON) -m venv .uv && .uv/bin/python -m pip install --quiet --disable-pip-version-check uv

# The one entrance: each target installs and builds what it needs first.
# `make help` says what there is; every variable below may be set on the command line.

SEED ?= 1
SEEDS ?= 1000
CAMPAIGNS ?= 300
KILL_EVERY ?= 5
MINUTES ?= 10
SECONDS ?= 60
RATE ?= 0.2
ARGS ?=
JOBS ?= 2

SOURCE_DIRS := orchestrator saga activities gateway tests
SOURCES = $(shell find $(SOURCE_DIRS) -name '*.cc' -o -name '*.h')

.DEFAULT_GOAL := help
.PHONY: build demo run test fmt lint sim bench e2e load chaos fuzz check help deps configure

help: deps ## print this help
	@echo 'usage: make TARGET [VARIABLE=value]'
	@sed -n 's/^\([a-z0-9]*\):.*## \(.*\)/  \1|\2/p' $(MAKEFILE_LIST) | \
	  while IFS='|' read -r target text; do printf '%-9s %s\n' "$$target" "$$text"; done

deps:
	@deploy/install-deps.sh

configure: deps
	@cmake --preset release > build-configure.log 2>&1 || \
	  { cat build-configure.log; rm -f build-configure.log; exit 1; }
	@rm -f build-configure.log

build: configure ## build everything: build/bin/campaignd, campaignctl, vendor-sandbox
	@cmake --build --preset release

demo: build ## show a campaign end to end, one undone after a failure, one surviving SIGKILL
	@python3 deploy/demo/demo.py

run: build ## run campaignd against simulated vendors on ports 8080 and 7233 (ARGS=...)
	@build/bin/campaignd --dev $(ARGS)

test: build ## run all tests, with a small fault run end to end (what CI runs)
	@ctest --test-dir build --output-on-failure -j $(JOBS)

fmt: deps ## format the sources with clang-format
	@clang-format-19 -i $(SOURCES)

lint: configure ## check format, layers, banned calls, documents (tests/lint) and clang-tidy
	@clang-format-19 --dry-run --Werror $(SOURCES)
	@python3 tests/lint/lint.py --self-test
	@python3 tests/lint/lint.py
	@cmake --build --preset release
	@python3 tests/lint/tidy.py --jobs $(JOBS) $(ARGS)

sim: build ## run the engine in simulated worlds (SEED=1 SEEDS=1000)
	@build/bin/simulation_tests --seed=$(SEED) --seeds=$(SEEDS) $(ARGS)

bench: build ## measure: micro benchmarks, and 1,000 campaigns at once on one server
	@build/bin/engine_bench
	@folder=$$(mktemp -d) && build/bin/store_bench "$$folder" 1 && build/bin/store_bench "$$folder" 1000; \
	  code=$$?; rm -rf "$$folder"; exit $$code
	@python3 tests/e2e/thousand.py $(ARGS)

e2e: build ## 1,000 campaigns at once, then 300 under faults and SIGKILL (SEED CAMPAIGNS KILL_EVERY RATE)
	@python3 tests/e2e/thousand.py
	@python3 tests/e2e/chaos.py --seed $(SEED) --campaigns $(CAMPAIGNS) \
	  --troubles kill --every $(KILL_EVERY) --fault-rate $(RATE) $(ARGS)

load: build ## 5,000 idle event streams: memory of each, time of other calls (with wrk when it is there)
	@python3 tests/e2e/load.py $(ARGS)

chaos: build ## campaigns while the server is killed, stopped, without disk, out of time (SEED MINUTES=10)
	@python3 tests/e2e/chaos.py --seed $(SEED) --minutes $(MINUTES) --fault-rate $(RATE) $(ARGS)

fuzz: deps ## fuzz what reads foreign bytes, each target for a while (SECONDS=60)
	@python3 tests/fuzz/fuzz.py --seconds $(SECONDS) $(ARGS)

check: lint test ## lint and test: run it before a commit

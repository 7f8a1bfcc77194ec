# make run    sets everything up in .venv, measures the paper on the twin, writes out/
# make test   sets everything up in .venv, runs every test
# make bench  timings as ratios against the stock tools
# make faults kills, hangs, interrupts and disturbs what runs; writes out/faults.json
# make docs   builds the site into out/site; it opens offline
# make clean  takes away what the others made

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
# one process a core; a file's tests stay together, for they share instruments
PARALLEL := --numprocesses auto --dist loadfile
# tests of moments need a processor: one that failed beside others has to pass alone, and both are told
ALONE := --last-failed --last-failed-no-failures none

define pytest
$(BIN)/python -m pytest $(PARALLEL) $(1) || { \
	echo "odmrlab: what failed, once more and alone"; $(BIN)/python -m pytest $(ALONE) $(1); }
endef

.PHONY: run test bench faults docs shell setup clean

run: setup
	@echo "odmrlab: measuring the paper on the twin of its laboratory"
	@$(BIN)/odmrlab reproduce $(ARGS)

test: setup
	@echo "odmrlab: every test, with caproto beneath ophyd"
	@$(call pytest,$(ARGS))
	@echo "odmrlab: the tests that talk to IOCs once more, with pyepics beneath ophyd"
	@export OPHYD_CONTROL_LAYER=pyepics; $(call pytest,-m layer $(ARGS))

bench: setup
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[bench]"
	@$(BIN)/python -m pytest bench --benchmark-only --benchmark-columns=min,median,max,rounds

faults: setup
	@$(BIN)/python faults --page docs/reference/faults.md $(ARGS)

docs: setup
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet
	@echo "out/site/index.html"

shell: setup
	@$(BIN)/odmrlab shell $(ARGS)

setup: $(READY)

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "make: $$($(PYTHON) --version); needs Python 3.11 or later: make PYTHON=/path/to/python3"; exit 1; }
	@echo "odmrlab: making the environment $(VENV), 2 GB; some minutes the first time, and quiet meanwhile"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--constraint constraints.txt --editable ".[test]"
	@touch $(READY)

clean:
	rm -rf $(VENV) out build dist *.egg-info

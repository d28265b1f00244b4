# Each target is one command of the daily work; `make help` lists them. What a target needs is a stamp in the
# virtual environment, so a second run starts at once. ARGS=... goes to the tool; VENV=.venv-3.13 PYTHON=3.13 makes and
# uses another environment.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c

VENV ?= .venv
PYTHON ?=
ARGS ?=
PORT ?= 1143
TLS_PORT ?= 1993
MINUTES ?= 30
SECONDS ?= 3600
PYTHONS ?= 3.11 3.12 3.13

PY := $(VENV)/bin/python
STAMP := $(VENV)/stamp
PIP := $(PY) -m pip install --quiet --disable-pip-version-check --no-input
WIRE := setup.py $(wildcard _ext/*.pyx _ext/*.pxd _ext/*.pxi _ext/*.h)

.PHONY: help demo test debug-test sanitize-test dist-test bench bench-tls bench-scan run-bench run-bench-scan soak soak-scan tls-check fuzz lint doc clean wire need

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

demo: $(STAMP)/wire $(STAMP)/extra-demo ## a server with sample mails and the proxy, ports 1143 and 1993 (PORT=... TLS_PORT=...)
	@exec $(PY) -m tools.demo --port $(PORT) --tls-port $(TLS_PORT) $(ARGS)

test: need $(STAMP)/wire $(STAMP)/extra-test $(STAMP)/extra-demo ## all tests, with what they need (ARGS="-k word")
	@echo "==> tests"
	@tools/test.sh $(abspath $(PY)) $(ARGS)

debug-test: $(STAMP)/project $(STAMP)/extra-test ## wire, play and unit tests under bounds checks and assertions
	@tools/openssl.sh
	@tools/variant.sh debug $(abspath $(PY)) $(ARGS)

sanitize-test: $(STAMP)/project $(STAMP)/extra-test ## the same tests under the address and undefined-behaviour sanitizers
	@tools/openssl.sh
	@tools/variant.sh sanitize $(abspath $(PY)) $(ARGS)

dist-test: ## sdist, wheel from it, installed into empty environments (PYTHONS="3.12")
	@tools/openssl.sh
	@tools/dist.sh $(PYTHONS)

bench: ## the comparison with nginx, HAProxy, Dovecot and plain relays, by the distribution's Python (PYTHON=3.12)
	@$(MAKE) --no-print-directory VENV=$(VENV)-bench PYTHON=$(or $(PYTHON),system) run-bench

bench-tls: ## its table of TLS alone: on the client's leg and on both, 1.2 and 1.3, full and resumed
	@$(MAKE) --no-print-directory bench ARGS="--table tls $(ARGS)"

bench-scan: ## mail processing: index, download, store, memory, first sync, against targets (ARGS="--quick")
	@$(MAKE) --no-print-directory VENV=$(VENV)-bench PYTHON=$(or $(PYTHON),system) run-bench-scan

run-bench-scan: need $(STAMP)/wire $(STAMP)/extra-test
	@$(PY) -m bench.scan $(ARGS)

run-bench: need $(STAMP)/wire $(STAMP)/extra-test
	@$(PY) -m bench.run $(ARGS)

soak: need $(STAMP)/wire $(STAMP)/extra-test ## half an hour of churn, memory and descriptors watched (MINUTES=...)
	@$(PY) -m bench.soak --minutes $(MINUTES) $(ARGS)

soak-scan: need $(STAMP)/wire $(STAMP)/extra-test ## churn where mail is processed, memory, descriptors and spool watched (MINUTES=...)
	@$(PY) -m bench.scan_soak --minutes $(MINUTES) $(ARGS)

tls-check: need $(STAMP)/wire $(STAMP)/extra-test ## testssl.sh against the proxy, TLS at once and by STARTTLS (some minutes)
	@$(PY) -m tools.tlscheck $(ARGS)

fuzz: $(STAMP)/wire $(STAMP)/extra-test $(STAMP)/extra-fuzz ## coverage-guided fuzzing of the wire (SECONDS=...)
	@$(PY) -m tests.fuzz --seconds $(SECONDS) $(ARGS)

lint: $(STAMP)/wire $(STAMP)/extra-test $(STAMP)/extra-lint ## ruff check, ruff format --check, mypy --strict
	@echo "==> ruff check"; $(PY) -m ruff check .
	@echo "==> ruff format --check"; $(PY) -m ruff format --check .
	@echo "==> mypy --strict"; $(PY) -m mypy --strict

doc: $(STAMP)/wire ## the configuration and log reference in docs/reference, from the schema and the catalogue
	@mkdir -p docs/reference
	@$(PY) -m imap4fast.config.reference
	@$(PY) -m imap4fast.log.manual > docs/reference/log.md

clean: ## removes all that make made
	rm -rf build dist .venv* var .mypy_cache .ruff_cache .pytest_cache .hypothesis .benchmarks bench/build *.egg-info
	rm -f imap4fast/*.so _ext/_wire.c _ext/*.html
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

wire: $(STAMP)/wire ## the extension alone, built in place

need:
	@tools/need.sh

# --- the virtual environment ---------------------------------------------------------------------------------

$(STAMP)/base:
	@echo "==> virtual environment in $(VENV)"
	@python=$$(tools/python.sh $(PYTHON)) && "$$python" -m venv $(VENV)
	@mkdir -p $(STAMP) && touch $@

$(STAMP)/project: pyproject.toml | $(STAMP)/base
	@echo "==> what the package needs"
	@$(PY) tools/requires.py build project > $@.txt
	@$(PIP) -r $@.txt
	@touch $@

$(STAMP)/wire: $(STAMP)/project $(WIRE)
	@tools/openssl.sh
	@echo "==> the package in place; compiles the extension imap4fast._wire (half a minute)"
	@$(PIP) --no-build-isolation --no-deps --editable .
	@touch $@

$(STAMP)/extra-%: pyproject.toml | $(STAMP)/base
	@echo "==> packages of extra '$*'"
	@$(PY) tools/requires.py $* > $@.txt
	@$(PIP) -r $@.txt
	@touch $@

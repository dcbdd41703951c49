# Podium. `make` alone lists what it can do. Everything it makes lies under .local/.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c

PYTHON ?= python3
VENV := .local/venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: help demo test test-faults test-docker bench docs up down reset lint format venv

help: ## List these commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

demo: $(STAMP) ## Play a real exam against real servers, then serve it until Ctrl-C
	@exec $(BIN)/python -m demo $(ARGS)

test: $(STAMP) ## Run all tests against real servers
	@$(BIN)/pytest

test-faults: $(STAMP) ## Break servers, networks and clients under load, 20 times each; takes half an hour
	@$(BIN)/pytest tests/test_faults.py --fault-rounds=20 $(ARGS)

test-docker: $(STAMP) ## Test in real containers; without a Docker engine root takes Debian's
	@exec $(BIN)/python -m tests.docker $(ARGS)

bench: $(STAMP) ## Measure beside references; ARGS=--quick takes 3 minutes, ARGS=--help tells more
	@exec $(BIN)/python -m bench $(ARGS)

docs: $(STAMP) ## Write docs/sql-api.md anew from the headers of the procedures
	@$(BIN)/python -m docs.sql_api

up: $(STAMP) ## Start MySQL, Redis and the gateway in the background; writes .local/env
	@$(BIN)/python -m services up

down: ## Stop exactly what `make up` started
	@if [ -x $(BIN)/python ]; then $(BIN)/python -m services down; fi

reset: ## Stop and drop the data
	@if [ -x $(BIN)/python ]; then $(BIN)/python -m services reset; fi

lint: $(STAMP) ## Check style and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: $(STAMP) ## Bring the Python files into shape
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

venv: $(STAMP) ## Make or renew the virtual environment

$(STAMP): requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo 'Podium needs Python 3.11 or later: make PYTHON=/path/to/python3.11'; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null \
		|| { echo 'Python cannot make virtual environments: apt install python3-venv'; exit 1; }
	@echo 'Installing the Python packages of requirements.txt into $(VENV) ...'
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --quiet --disable-pip-version-check --requirement requirements.txt
	@touch $@

# The ways into this project. `make help` lists them.

# Any Python from 3.11 on. Tests run on that many processes at once ("logical" means one a processor).
PYTHON ?= python3
WORKERS ?= logical
# More for pytest, as in: make test ARGS="-k smtp"
ARGS ?=

INSTALLED := .venv/.installed
# The lock names every package there is, so nothing has to be resolved. Twice quiet: only errors.
PIP_INSTALL := .venv/bin/python -m pip install -qq --disable-pip-version-check --no-deps

.DEFAULT_GOAL := help
.PHONY: help demo test servers lint format bench chaos

help: ## list these targets
	@awk 'BEGIN { FS = ":.*## " } /^[.a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(INSTALLED) ## the whole thing on sample data: nothing leaves this machine
	@.venv/bin/mlgroup-mail demo

test: $(INSTALLED) ## every test that can run here; says what was skipped and how to get it
	@.venv/bin/python -m pytest --numprocesses=$(WORKERS) --maxprocesses=8 --dist=loadgroup $(ARGS)

servers: ## install the servers that the tests talk to (Debian packages, none of them started)
	@tools/install-servers

lint: $(INSTALLED) ## formatting, lint, types, and which module may import which
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

format: $(INSTALLED) ## format the code, and mend what can be mended without thinking
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

bench: $(INSTALLED) ## measure what the documentation says about speed
	@.venv/bin/python -m benchmarks

chaos: $(INSTALLED) ## kill it 300 times at every point, and see that no mail is doubled or lost (docs/chaos.md)
	@.venv/bin/python -m tests.chaos $(ARGS)

.venv: $(INSTALLED) ## the Python environment, from the versions and hashes in requirements.lock

# An environment of the right age has a stamp younger than what it was made from, so that it is made again when the lock
# changes and left alone otherwise.
$(INSTALLED): requirements.lock pyproject.toml
	@for python in $(PYTHON) python3.13 python3.12 python3.11; do \
	    $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; \
	    python=; \
	done; \
	if [ -z "$$python" ]; then \
	    echo "This needs Python 3.11 or newer, and none was found here (looked for $(PYTHON), python3.11 to 3.13)." >&2; \
	    echo "If you have one, name it: make demo PYTHON=/path/to/python3" >&2; \
	    exit 1; \
	fi; \
	.venv/bin/python -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	    $$python -m venv --clear .venv
	@echo "Installing the packages of requirements.lock into .venv (once; about a minute)"
	@$(PIP_INSTALL) --require-hashes -r requirements.lock
	@$(PIP_INSTALL) --no-build-isolation -e .
	@touch $@

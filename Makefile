.DEFAULT_GOAL := help
.PHONY: help demo demo-worker demo-reset env serve test test-other-debian bench crash-proof fuzz \
	check format screenshots lock audit scan contract secrets venv tools
.DELETE_ON_ERROR:

# The Python that makes the virtual environment; everything else runs inside it. Debian's own where
# it can: what version managers build is often not optimised, and a fifth slower.
PYTHON3 ?= $(shell /usr/bin/python3 -c 'import ensurepip' 2>/dev/null && echo /usr/bin/)python3
PORT ?= 8000
RUNS ?= 1000
KILLS ?= 100
ROUNDS ?= 60
SECONDS ?= 60
ATTACK ?= 5
FUZZ ?= 50
ENV ?= .env

VENV := .venv
PYTHON := $(VENV)/bin/python
RUNTIME := $(VENV)/runtime.stamp
TESTING := $(VENV)/testing.stamp
PIP_INSTALL := $(PYTHON) -m pip install --quiet --disable-pip-version-check

# Tools that look from outside, each in an environment of its own that is named by its pin. uv
# installs what development needs in a tenth of pip's time; a server needs pip alone.
TOOLS := var/tools
UV := uv==0.13.8
UV_INSTALL := $(TOOLS)/$(UV)/bin/uv pip install --quiet --link-mode copy
WAPITI := wapiti3==3.2.3
PIP_AUDIT := pip-audit==2.10.1
SCHEMATHESIS := schemathesis==4.32.5
COMPILE := $(TOOLS)/$(UV)/bin/uv pip compile --quiet --universal --python-version 3.11 \
	--generate-hashes --no-annotate --custom-compile-command "make lock"

PRINT_SECRETS := $(PYTHON3) -c 'import base64, secrets; \
	print("SECRET_KEY=" + secrets.token_urlsafe(50)); \
	print("TOKEN_ENCRYPTION_KEYS=" + base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())'

# A server's settings with https, so that `check --deploy` looks at what a server would run.
SERVER_ENVIRONMENT := ENV_FILE= DASHBOARD_URL=https://routines.example.com \
	DATABASE_URL=sqlite:///var/check.sqlite3

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(RUNTIME) ## Try everything on this machine, with no claude.ai account (PORT=8000)
	@$(PYTHON) -m dashboard.serving.demo --port $(PORT)

demo-worker: ## Start one more worker for the demo that is running
	@$(PYTHON) -m dashboard.serving.demo --worker

demo-reset: ## Clear what the demo has stored
	@$(PYTHON3) -m dashboard.serving.demo --reset

serve: $(RUNTIME) ## Run the dashboard with your settings (environment or .env)
	@$(PYTHON) -m dashboard.serving.serve

test: $(TESTING) ## Run the tests: SQLite, PostgreSQL (TEST_DATABASE_URL) and browser; ARGS="-k word"
	@tests/run.sh $(ARGS)

test-other-debian: ## Run them in the other release's root, 13 on a 12, 12 on a 13 (root, debootstrap)
	@ARGS="$(ARGS)" tests/other_debian.sh

bench: $(TESTING) ## Measure the product beside bare tools; ONLY=fire ROUNDS=60
	@$(PYTHON) -m tests.bench --rounds $(ROUNDS) $(if $(ONLY),--only $(ONLY))

crash-proof: $(TESTING) ## Kill real processes at random and compare both sides' books (RUNS=1000 KILLS=100)
	@$(PYTHON) -m tests.server --runs $(RUNS) --kills $(KILLS) $(ARGS)

fuzz: $(TESTING) ## Try FUZZ=50 times as many generated examples as the tests do, other ones each time
	@FUZZ=$(FUZZ) $(PYTHON) -m pytest -m hypothesis --output=var/no-browser $(ARGS)

check: $(TESTING) ## Check format, lint, types, deployment settings and migrations
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m ruff check .
	$(PYTHON) -m mypy .
	$(PYTHON) -m djlint --lint --quiet templates
	$(PYTHON) -m djlint --check --quiet templates
	$(PYTHON) -m tests.supply_chain.locks
	@echo "manage.py check --deploy"
	@env $$($(PRINT_SECRETS)) $(SERVER_ENVIRONMENT) \
		$(PYTHON) manage.py check --deploy --fail-level WARNING
	@echo "manage.py makemigrations --check"
	@env $$($(PRINT_SECRETS)) $(SERVER_ENVIRONMENT) \
		$(PYTHON) manage.py makemigrations --check --dry-run

format: $(TESTING) ## Format the code and mend what the linter can
	$(PYTHON) -m ruff format .
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m djlint --reformat --quiet templates

screenshots: $(TESTING) ## Take pictures of the running demo, the README's too (PORT=8000)
	@$(PYTHON) -m tests.screenshots --url http://127.0.0.1:$(PORT)

lock: $(TOOLS)/$(UV)/ready ## Write the locks: every package of an install, pinned and hashed
	$(COMPILE) requirements.txt --output-file requirements.lock
	$(COMPILE) tests/requirements.txt --output-file tests/requirements.lock

audit: $(TESTING) $(TOOLS)/$(PIP_AUDIT)/ready ## Look up known vulnerabilities of what is installed
	@$(PYTHON) -m tests.supply_chain.audit $(TOOLS)/$(PIP_AUDIT)/bin/python

scan: $(TESTING) $(TOOLS)/$(WAPITI)/ready ## Attack the running product with a web scanner (SECONDS=60 ATTACK=5)
	@$(PYTHON) -m tests.scan --wapiti $(TOOLS)/$(WAPITI)/bin/wapiti --seconds $(SECONDS) \
		--attack $(ATTACK)

contract: $(TESTING) $(TOOLS)/$(SCHEMATHESIS)/ready ## Hold the running product to its API's document (SECONDS=60)
	@$(PYTHON) -m tests.contract --schemathesis $(TOOLS)/$(SCHEMATHESIS)/bin/schemathesis \
		--seconds $(SECONDS)

env: ## Make .env with fresh secrets, for its owner alone
	@umask 077; test ! -e $(ENV) || { echo "$(ENV) exists already: nothing is overwritten." >&2; \
		exit 1; }; $(PRINT_SECRETS) > $(ENV)

secrets: ## Print a fresh SECRET_KEY and TOKEN_ENCRYPTION_KEYS, ready for .env
	@$(PRINT_SECRETS)

venv: $(RUNTIME) ## Make .venv and install what the product needs

tools: $(TESTING) $(TOOLS)/$(PIP_AUDIT)/ready $(TOOLS)/$(WAPITI)/ready \
	$(TOOLS)/$(SCHEMATHESIS)/ready ## Install what test, check, audit, scan and contract use

# Stamps, so that a changed lock is installed at the next use of any target. Nothing is installed
# but what the locks name, as it was when they were made.
$(RUNTIME): requirements.lock | $(PYTHON)
	@echo "Installing requirements.lock into $(VENV) ..."
	@$(PIP_INSTALL) --require-hashes -r requirements.lock
	@touch $@

$(TESTING): tests/requirements.lock requirements.lock $(TOOLS)/$(UV)/ready | $(PYTHON)
	@echo "Installing requirements.lock and tests/requirements.lock into $(VENV) ..."
	@$(UV_INSTALL) --compile-bytecode --python $(PYTHON) --require-hashes -r requirements.lock \
		-r tests/requirements.lock
	@touch $(RUNTIME) $@

$(TOOLS)/$(UV)/ready:
	@echo "Installing $(UV) into $(TOOLS) ..."
	@$(PYTHON3) -m venv $(TOOLS)/$(UV)
	@$(TOOLS)/$(UV)/bin/python -m pip install --quiet --disable-pip-version-check $(UV)
	@touch $@

$(TOOLS)/%/ready: $(TOOLS)/$(UV)/ready
	@echo "Installing $* into $(TOOLS) ..."
	@$(PYTHON3) -m venv --without-pip $(TOOLS)/$*
	@$(UV_INSTALL) --python $(TOOLS)/$*/bin/python $*
	@touch $@

# Asked first: a failing `python3 -m venv` leaves half an environment behind.
$(PYTHON):
	@$(PYTHON3) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "This needs Python 3.11 or newer: make PYTHON3=/path/to/python3 ..." >&2; exit 1; }
	@$(PYTHON3) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "Python cannot make virtual environments here yet: apt install python3-venv" >&2; \
		exit 1; }
	@$(PYTHON3) -m venv $(VENV)

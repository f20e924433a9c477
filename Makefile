.DEFAULT_GOAL := help
.PHONY: help demo demo-reset serve test bench crash-proof check format screenshots secrets venv
.DELETE_ON_ERROR:

# The Python that makes the virtual environment; everything else runs inside it.
PYTHON3 ?= python3
PORT ?= 8000
KILLS ?= 200
ROUNDS ?= 60

VENV := .venv
PYTHON := $(VENV)/bin/python
RUNTIME := $(VENV)/runtime.stamp
TESTING := $(VENV)/testing.stamp
PIP_INSTALL := $(PYTHON) -m pip install --quiet --disable-pip-version-check

PRINT_SECRETS := $(PYTHON3) -c 'import base64, secrets; \
	print("SECRET_KEY=" + secrets.token_urlsafe(50)); \
	print("TOKEN_ENCRYPTION_KEYS=" + base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())'

# A server's settings with https, so that `check --deploy` looks at what a server would run.
SERVER_ENVIRONMENT := ENV_FILE= DASHBOARD_URL=https://routines.example.com \
	DATABASE_URL=sqlite:///var/check.sqlite3

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(RUNTIME) ## Try everything on this machine, with no claude.ai account (PORT=8000)
	@$(PYTHON) -m dashboard.demo --port $(PORT)

demo-reset: ## Clear what the demo has stored
	@$(PYTHON3) -m dashboard.demo --reset

serve: $(RUNTIME) ## Run the dashboard with your settings (environment or .env)
	@$(PYTHON) -m dashboard.serve

test: $(TESTING) ## Run the tests: SQLite, PostgreSQL (TEST_DATABASE_URL) and browser; ARGS="-k word"
	@tests/run.sh $(ARGS)

bench: $(TESTING) ## Measure the product beside bare tools; ONLY=fire ROUNDS=60
	@$(PYTHON) -m tests.bench --rounds $(ROUNDS) $(if $(ONLY),--only $(ONLY))

crash-proof: $(TESTING) ## Kill real workers at random moments and compare the books (KILLS=200)
	@$(PYTHON) -m tests.server --kills $(KILLS)

check: $(TESTING) ## Check format, lint, types, deployment settings and migrations
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m ruff check .
	$(PYTHON) -m mypy .
	$(PYTHON) -m djlint --lint --quiet templates
	@echo "manage.py check --deploy"
	@env $$($(PRINT_SECRETS)) $(SERVER_ENVIRONMENT) \
		$(PYTHON) manage.py check --deploy --fail-level WARNING
	@echo "manage.py makemigrations --check"
	@env $$($(PRINT_SECRETS)) $(SERVER_ENVIRONMENT) \
		$(PYTHON) manage.py makemigrations --check --dry-run

format: $(TESTING) ## Format the code and mend what the linter can
	$(PYTHON) -m ruff format .
	$(PYTHON) -m ruff check --fix .

screenshots: $(TESTING) ## Take pictures of the running demo, the README's too (PORT=8000)
	@$(PYTHON) -m tests.screenshots --url http://127.0.0.1:$(PORT)

secrets: ## Print a fresh SECRET_KEY and TOKEN_ENCRYPTION_KEYS, ready for .env
	@$(PRINT_SECRETS)

venv: $(RUNTIME) ## Make .venv and install what the product needs

# Stamps, so that a changed requirements file is installed at the next use of any target.
$(RUNTIME): requirements.txt | $(PYTHON)
	@echo "Installing requirements.txt into $(VENV) ..."
	@$(PIP_INSTALL) -r requirements.txt
	@touch $@

$(TESTING): tests/requirements.txt $(RUNTIME)
	@echo "Installing tests/requirements.txt into $(VENV) ..."
	@$(PIP_INSTALL) -r tests/requirements.txt
	@touch $@

# Asked first: a failing `python3 -m venv` leaves half an environment behind.
$(PYTHON):
	@$(PYTHON3) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "This needs Python 3.11 or newer: make PYTHON3=/path/to/python3 ..." >&2; exit 1; }
	@$(PYTHON3) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "Python cannot make virtual environments here yet: apt install python3-venv" >&2; \
		exit 1; }
	@$(PYTHON3) -m venv $(VENV)

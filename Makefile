# Everything sets itself up: Python 3.11 to 3.13 and make are all that a machine needs, and the Pulumi CLI or Go
# for what runs on the real engine.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PATHS := __main__.py settings selfheal components functions policies cli sandbox scenarios tools bench tests

# Also where the environment says otherwise: tests start hundreds of Pythons, and each would compile everything again.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help setup browser demo demo-orders drill chaos test test-long test-fast audit check docs format pins clean

help: ## List the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

setup: ## Make .venv with everything that is needed, and get the Pulumi CLI, at pinned versions
	@$(PYTHON) -c 'import sys; ok = (3, 11) <= sys.version_info < (3, 14); sys.exit(0 if ok else "selfheal needs Python 3.11, 3.12 or 3.13, this is " + sys.version.split()[0] + ". Name another with: make PYTHON=python3.12")'
	@[ ! -s $(VENV)/.done ] || [ "$$(cat $(VENV)/.done)" = "$(CURDIR)" ] || { \
		echo "This checkout was set up in $$(cat $(VENV)/.done), and $(VENV) works there only. Run: make clean setup" >&2; exit 1; }
	@$(PYTHON) tools/get_pulumi.py $(MAKE) --silent $(VENV)/.done

$(VENV)/.done: requirements-dev.txt pyproject.toml
	@echo "Setting up $(VENV) (about 90 packages, once) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@mkdir -p $(VENV)/links/selfheal && cp selfheal/__init__.py $(VENV)/links/selfheal
	@for folder in cli components functions sandbox scenarios; do ln -sfn ../../../$$folder $(VENV)/links/selfheal/$$folder; done
	@echo "$(CURDIR)" > $@

browser: ## Get a Chromium for the tests of the site, where there is none (Debian and Ubuntu; asks for root's rights)
	@command -v chromium || command -v chromium-browser || command -v google-chrome || { \
		as_root=; [ "$$(id -u)" = 0 ] || as_root=sudo; \
		$$as_root apt-get update -qq && $$as_root apt-get install -qq --yes --no-install-recommends chromium; }

demo: setup ## See the whole loop heal, on this machine, and write out/demo/incident.html
	@$(BIN)/selfheal demo

demo-orders: setup ## See that no order is lost in an outage and a bad deployment, and write out/demo-orders/report.html
	@$(BIN)/selfheal demo-orders

drill: setup ## Break what the orders service depends on, in many ways, and see that it loses nothing (20 minutes)
	@$(BIN)/python -m bench.drill

chaos: setup ## Run each scenario of selfheal chaos twice, and see that its hypothesis holds each time (40 minutes)
	@$(BIN)/python -m bench.chaos

test: setup ## Run the tests, but those of test-long; those on the real engine are skipped where there is no Pulumi CLI
	@$(BIN)/python -m pytest -n 5 --dist loadfile --no-loadscope-reorder -m "not drill and not browser and not audit"

test-long: setup ## Run the tests that break the orders service for minutes, and those of the site in a browser
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m "drill or browser"

test-fast: setup ## Run the tests that are quick: no emulator, engine or browser, no exhaustive search for harm
	@$(BIN)/python -m pytest -n 2 -m "not slow and not engine and not browser and not audit"

# Each tool has an environment of its own: Prowler brings 2 GB, and other versions of what the project uses.
.audit/%/.done: requirements/%.txt
	@echo "Installing $* (once) ..."
	@$(PYTHON) -m venv .audit/$*
	@.audit/$*/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

audit: setup .audit/prowler/.done .audit/parliament/.done ## Look for what a security team would find, in the deployed stacks and in every policy (5 minutes)
	@test -x .audit/prowler/bin/prowler -a -x .audit/parliament/bin/python || (echo "A tool is missing: rm -r .audit" && exit 1)
	@$(BIN)/python -m pytest -m audit

check: setup ## Check style and types
	@$(BIN)/ruff format --check $(PATHS)
	@$(BIN)/ruff check $(PATHS)
	@$(BIN)/basedpyright

docs: setup ## Build the documentation into out/docs; broken links and anchors are errors
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

format: setup ## Put the code in form
	@$(BIN)/ruff format $(PATHS)
	@$(BIN)/ruff check --fix $(PATHS)

pins: setup ## Pin the newest versions that requirements/*.in allow, with hashes (needs uv)
	uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-annotate --no-header requirements/dev.in -o requirements-dev.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header requirements/program.in -c requirements-dev.txt -o requirements.txt
	for tool in prowler parliament; do uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-annotate --no-header requirements/$$tool.in -o requirements/$$tool.txt; done

clean: ## Remove what the commands above made
	rm -rf $(VENV) .audit policies/$(VENV) components/plugin/$(VENV) .pulumi out .selfheal .pytest_cache .ruff_cache .hypothesis *.egg-info

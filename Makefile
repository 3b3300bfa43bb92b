# Everything that one does with the portal on one's machine. `make help` lists it.
.DEFAULT_GOAL := help
.PHONY: help run test test-fast check bench faults handbook up lock messages format architecture

PY := .venv/bin/python

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 14

run: ## the portal with demo data on http://127.0.0.1:$$PORT (8000)
	@scripts/run

test: ## the whole suite: on SQLite always, on PostgreSQL, Redis and Chromium where found or installable
	@scripts/bootstrap dev
	@$(PY) scripts/run_tests.py $(ARGS)

test-fast: ## on SQLite, the tests that take under half a second each
	@scripts/bootstrap dev
	@$(PY) scripts/run_tests.py --fast $(ARGS)

check: ## style, types, layers, pictures, templates, migrations, translations, terms, deployment settings
	@scripts/bootstrap dev
	@$(PY) scripts/check.py

bench: ## one line `name value unit` for each figure
	@scripts/bootstrap dev
	@$(PY) -m tests.bench

faults: ## the portal under load while its parts are killed (SEED replays a run; KILLS, DURATION, OUTAGE)
	@scripts/bootstrap dev
	@$(PY) -m tests.faults

handbook: ## the handbook's pictures anew from the running portal, and its PDF files in var/handbook
	@scripts/bootstrap dev
	@$(PY) -m scripts.handbook_pictures

up: ## the real thing with Docker: web, worker, beat, PostgreSQL, Redis, a mail catcher
	docker compose up --build

format: ## bring sources and templates into the common form
	@scripts/bootstrap dev
	$(PY) -m ruff check --fix --quiet .
	$(PY) -m ruff format --quiet .
	git ls-files -z --cached --others --exclude-standard 'templates/*.html' | xargs -0 -r .venv/bin/djade --target-version 5.2

architecture: ## draw the pictures of docs/architecture.md from the source code
	@scripts/bootstrap dev
	$(PY) scripts/draw_architecture.py

messages: ## gather the texts to translate, and compile the translations (needs gettext)
	@scripts/bootstrap dev
	$(PY) manage.py makemessages --all --no-location --no-obsolete --no-wrap --ignore '.venv/*' --ignore 'tests/*' --ignore 'node_modules/*'
	$(PY) manage.py compilemessages --ignore '.venv/*'

LOCK := .venv/bin/pip-compile --quiet --upgrade --generate-hashes --strip-extras --allow-unsafe --no-emit-options \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host

lock: ## compile both locks anew from requirements.in and requirements-dev.in
	@scripts/bootstrap dev
	$(LOCK) --output-file requirements.lock requirements.in
	$(LOCK) --output-file requirements-dev.lock requirements-dev.in

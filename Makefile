# Everything a newcomer needs is `make demo` and `make test`; both set up what they use, in .venv.

PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	command -v $$p >/dev/null && $$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
UV = $(shell command -v uv || echo .venv/bin/uv)
BIN = .venv/bin

.PHONY: help demo test check bench bench-lambda bench-codecs bench-policies bench-warm format docs clean

help:  ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 16

demo: .venv/.demo  ## ask the embedded model two things: no key, no cloud
	@$(BIN)/lambdallm local pull
	@$(BIN)/python examples/quickstart/demo.py

test: .venv/.dev .venv-litellm/.done .venv-ministack/.done .venv-lambda/.done .venv-moto/.done .venv/.browser  ## run all tests
	@$(BIN)/lambdallm local pull
	@$(BIN)/lambdallm local pull --embeddings
	$(BIN)/python -m pytest -n auto -q $(ARGS)

check: .venv/.dev  ## lint, formatting, types, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: bench-lambda  ## measure cold start, calls and streams beside named peers
	$(firstword $(wildcard /usr/bin/python3.11) $(PYTHON)) benchmarks/run.py $(ARGS)

bench-lambda:  ## measure Lambda cold starts, from process start to the first answer
	$(firstword $(wildcard /usr/bin/python3.11) $(PYTHON)) benchmarks/run_lambda.py

bench-codecs:  ## measure every codec beside its vendor's SDK
	$(firstword $(wildcard /usr/bin/python3.11) $(PYTHON)) benchmarks/run_codecs.py $(ARGS)

bench-policies:  ## measure what retries, limits, caches and routes cost around a call
	$(firstword $(wildcard /usr/bin/python3.11) $(PYTHON)) benchmarks/run_policies.py $(ARGS)

bench-warm: .venv/.dev  ## measure whether a warm environment stays as it is
	$(BIN)/python benchmarks/run_warm.py $(ARGS)

format: .venv/.dev  ## format and fix what can be fixed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: .venv/.dev  ## write the reference from the code
	$(BIN)/python scripts/write_reference.py

clean:  ## remove what the other targets made
	rm -rf .venv .venv-litellm .venv-ministack .venv-lambda .venv-moto .bench .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "No Python 3.11 or later with venv was found; install one, or pass PYTHON=…"; exit 1; }
	@if command -v uv >/dev/null; then uv venv -q --python "$$(command -v $(PYTHON))" .venv; \
	else $(PYTHON) -m venv .venv && $(BIN)/python -m pip install -q uv; fi

.venv/.demo: pyproject.toml | .venv/bin/python
	@$(UV) pip install -q --python $(BIN)/python -e '.[local,yaml]'
	@touch $@

.venv-litellm/.done: requirements/litellm.txt | .venv/bin/python
	@$(UV) venv -q --clear --python $(BIN)/python .venv-litellm
	@$(UV) pip install -q --python .venv-litellm/bin/python --require-hashes -r requirements/litellm.txt
	@touch $@

.venv-ministack/.done: requirements/ministack.txt | .venv/bin/python
	@$(UV) venv -q --clear --python $(BIN)/python .venv-ministack
	@$(UV) pip install -q --python .venv-ministack/bin/python -r requirements/ministack.txt
	@touch $@

.venv-moto/.done: requirements/moto.txt | .venv/bin/python
	@$(UV) venv -q --clear --python $(BIN)/python .venv-moto
	@$(UV) pip install -q --python .venv-moto/bin/python -r requirements/moto.txt
	@touch $@

# The playground's page is tested in a browser, which is Debian's: root's to install. Without one those tests are skipped.
.venv/.browser: | .venv/bin/python
	@command -v chromium >/dev/null || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null && \
		apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium; } >/dev/null 2>&1 || true
	@if command -v chromium >/dev/null; then touch $@; \
	else echo "Chromium is not installed (apt install chromium): the tests of the playground's page are skipped."; fi

.venv-lambda/.done: requirements/lambda.txt | .venv/bin/python
	@$(UV) venv -q --clear --python $(BIN)/python .venv-lambda
	@$(UV) pip install -q --no-deps --python .venv-lambda/bin/python -r requirements/lambda.txt
	@touch $@

.venv/.dev: pyproject.toml | .venv/bin/python
	@$(UV) pip install -q --python $(BIN)/python -e '.[dev]'
	@touch $@ .venv/.demo

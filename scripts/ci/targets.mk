##@ Continuous integration

.PHONY: model-report
model-report: $(INSTALLED) ## Write build/report: this model beside that of BASE, parameters, measures and plots
	scripts/ci/model_report.sh $(or $(BASE),HEAD)

.PHONY: scan-image
scan-image: ## Look for known vulnerabilities in the image of the API, fail on a high one with a fix; needs Go
	scripts/ci/scan_image.sh $(IMAGE):$(VERSION)

.PHONY: scan-infra
scan-infra: ## Write what checkov and zizmor find to build/sarif/infra
	scripts/ci/scan_infra.sh

.PHONY: test-ci
test-ci: $(INSTALLED) ## Break the workflows in many ways, each must be found; needs Go and the tools of lint-infra
	python -m pytest tests/ci --numprocesses auto --no-cov

.PHONY: model-gate
model-gate: $(INSTALLED) ## Fail unless build/bundle is whole and passed the gate
	python -m scripts.ci.model_pointer gate

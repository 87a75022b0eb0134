##@ Google Cloud

.PHONY: test-startup-script
test-startup-script: $(INSTALLED) ## Start a VM in a folder, on programs that only note their calls; part of make test
	python -m pytest tests/startup_script --no-cov

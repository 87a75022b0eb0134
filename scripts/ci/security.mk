##@ Security

.PHONY: audit
audit: $(INSTALLED) ## Audit the locked packages for known vulnerabilities; fails closed
	python -m scripts.audit --sarif build/sarif/dependencies/osv.sarif $(AUDIT_ARGS)

.PHONY: secrets
secrets: ## Scan every commit and the work tree for secrets; requires Go
	scripts/secrets.sh

.PHONY: test-secrets
test-secrets: $(INSTALLED) ## Test the secret scan with planted keys
	python -m pytest tests/security/test_planted_key.py --numprocesses 0 --no-cov

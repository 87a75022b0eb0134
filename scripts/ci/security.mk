##@ Security

.PHONY: audit
audit: $(INSTALLED) ## Look for known vulnerabilities in the locked packages; fails too when it cannot find out
	python -m scripts.audit --sarif build/sarif/dependencies/osv.sarif $(AUDIT_ARGS)

.PHONY: secrets
secrets: ## Look for secrets in every commit and in the work tree; needs Go once
	scripts/secrets.sh

.PHONY: test-secrets
test-secrets: $(INSTALLED) ## Plant a key and see that it is found
	python -m pytest tests/security/test_planted_key.py --numprocesses 0 --no-cov

##@ Documentation

.PHONY: docs
docs: $(INSTALLED) ## Generate the tables in docs/ from the code
	python -m scripts.tables
	python -m scripts.ingress

.PHONY: docs-build
docs-build: $(INSTALLED) ## Build the documentation site in build/site and check its links
	NO_MKDOCS_2_WARNING=1 mkdocs build --strict --quiet

.PHONY: test-docs
test-docs: $(INSTALLED) ## Run the commands of the documentation in fresh clones
	python -m pytest tests/docs_pages --numprocesses auto --no-cov

.PHONY: diagrams
diagrams: ## Render the diagrams of docs/ as images; requires npm and Chromium
	python3 scripts/diagrams.py

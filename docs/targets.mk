##@ Documentation

.PHONY: docs
docs: $(INSTALLED) ## Write the tables of README and docs/ from the code
	python -m scripts.tables
	python -m scripts.ingress

.PHONY: docs-build
docs-build: $(INSTALLED) ## Build the pages of docs/ as a site in build/site, and follow their links
	NO_MKDOCS_2_WARNING=1 mkdocs build --strict --quiet

.PHONY: test-docs
test-docs: $(INSTALLED) ## Type the commands of the pages of docs/ in fresh clones
	python -m pytest tests/docs_pages --numprocesses auto --no-cov

.PHONY: diagrams
diagrams: ## Draw the diagrams of docs/ as pictures; needs npm and Chromium
	python3 scripts/diagrams.py

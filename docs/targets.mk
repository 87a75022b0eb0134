##@ Documentation

.PHONY: docs
docs: $(INSTALLED) ## Write the tables of README and docs/ from the code
	python -m scripts.tables

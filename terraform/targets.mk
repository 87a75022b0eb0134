##@ Google Cloud

TERRAFORM := terraform -chdir=terraform

.PHONY: terraform-init
terraform-init: ## Get the provider and connect to the state of terraform/backend.tf
	$(TERRAFORM) init

.PHONY: terraform-fmt
terraform-fmt: ## Format terraform/
	$(TERRAFORM) fmt -recursive

.PHONY: terraform-validate
terraform-validate: ## Check that terraform/ fits the provider, in a copy
	scripts/terraform_copy.sh terraform validate

.PHONY: terraform-test
terraform-test: ## Test what Terraform would make, in a copy, without account
	scripts/terraform_copy.sh sh -c 'ls tests/*.tftest.hcl | xargs -P 4 -I % terraform test -no-color -filter=%'

.PHONY: terraform-plan
terraform-plan: ## Say what would change, and keep it in terraform/terraform.tfplan
	$(TERRAFORM) plan -out=terraform.tfplan

.PHONY: terraform-apply
terraform-apply: ## Do what terraform-plan said
	$(TERRAFORM) apply terraform.tfplan

.PHONY: terraform-refresh
terraform-refresh: ## Say what was changed by other hands, and take it into the state when you agree
	$(TERRAFORM) apply -refresh-only

.PHONY: terraform-output
terraform-output: ## Show addresses, names and identities
	$(TERRAFORM) output

.PHONY: terraform-destroy
terraform-destroy: ## Destroy everything, after asking; terraform/README.md says what refuses
	$(TERRAFORM) destroy

.PHONY: test-startup-script
test-startup-script: $(INSTALLED) ## Start a VM in a folder, on programs that only note their calls; part of make test
	python -m pytest tests/startup_script --no-cov

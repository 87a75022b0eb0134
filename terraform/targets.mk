##@ Google Cloud

TERRAFORM := terraform -chdir=terraform

.PHONY: terraform-init
terraform-init: ## Download the provider and initialize the backend
	$(TERRAFORM) init

.PHONY: terraform-fmt
terraform-fmt: ## Format terraform/
	$(TERRAFORM) fmt -recursive

.PHONY: terraform-validate
terraform-validate: ## Validate terraform/ against the provider schema, in a copy
	scripts/terraform_copy.sh terraform validate

.PHONY: terraform-test
terraform-test: ## Run the Terraform tests, in a copy, without an account
	scripts/terraform_copy.sh sh -c 'ls tests/*.tftest.hcl | xargs -P 4 -I % terraform test -no-color -filter=%'

.PHONY: terraform-plan
terraform-plan: ## Plan the changes into terraform/terraform.tfplan
	$(TERRAFORM) plan -out=terraform.tfplan

.PHONY: terraform-apply
terraform-apply: ## Apply the saved plan
	$(TERRAFORM) apply terraform.tfplan

.PHONY: terraform-refresh
terraform-refresh: ## Show drift from the real resources and, after confirmation, accept it into the state
	$(TERRAFORM) apply -refresh-only

.PHONY: terraform-output
terraform-output: ## Show the outputs
	$(TERRAFORM) output

.PHONY: terraform-destroy
terraform-destroy: ## Destroy all resources after confirmation; terraform/README.md lists what is protected
	$(TERRAFORM) destroy

.PHONY: test-startup-script
test-startup-script: $(INSTALLED) ## Test the VM startup script with stubs; part of make test
	python -m pytest tests/startup_script --no-cov

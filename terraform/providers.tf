provider "google" {
  project = var.project_id
  region  = var.region

  # Budgets ask which project pays for the call.
  billing_project       = var.project_id
  user_project_override = true

  default_labels = local.labels
}

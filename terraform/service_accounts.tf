# The VM's identity. What it may read is granted beside each thing: the models bucket, the secret, the registry.
resource "google_service_account" "api" {
  account_id   = "${var.name}-api"
  display_name = "API of ${var.name}, on the VM"

  depends_on = [google_project_service.apis]
}

# Writing logs and metrics can be granted on the project only. Neither role reads anything.
resource "google_project_iam_member" "api_telemetry" {
  for_each = toset(["roles/logging.logWriter", "roles/monitoring.metricWriter"])

  project = var.project_id
  role    = each.value
  member  = google_service_account.api.member
}

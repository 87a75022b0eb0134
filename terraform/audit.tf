# Who read or wrote what: without this only changes of configuration are recorded.
resource "google_project_iam_audit_config" "data_access" {
  for_each = toset(concat(
    ["secretmanager.googleapis.com", "storage.googleapis.com"],
    var.cmek ? ["cloudkms.googleapis.com"] : [],
  ))

  project = var.project_id
  service = each.value

  audit_log_config {
    log_type = "DATA_READ"
  }

  audit_log_config {
    log_type = "DATA_WRITE"
  }

  depends_on = [google_project_service.apis]
}

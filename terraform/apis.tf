resource "google_project_service" "apis" {
  for_each = toset([
    "artifactregistry.googleapis.com",
    "cloudresourcemanager.googleapis.com",
    "compute.googleapis.com",
    "containerscanning.googleapis.com",
    "iam.googleapis.com",
    "iap.googleapis.com",
    "logging.googleapis.com",
    "monitoring.googleapis.com",
    "oslogin.googleapis.com",
    "secretmanager.googleapis.com",
    "storage.googleapis.com",
  ])

  service            = each.value
  disable_on_destroy = false # others in the project may use it
}

# Apart from the others, which everything here depends on: a choice made later changes nothing but itself.
resource "google_project_service" "chosen" {
  for_each = toset(concat(
    var.cmek ? ["cloudkms.googleapis.com"] : [],
    var.gke ? ["binaryauthorization.googleapis.com", "container.googleapis.com"] : [],
    var.github_repository == null ? [] : ["iamcredentials.googleapis.com", "sts.googleapis.com"],
    var.billing_account == null ? [] : ["billingbudgets.googleapis.com"],
  ))

  service            = each.value
  disable_on_destroy = false
}

# Known once the APIs are on.
data "google_project" "this" {
  project_id = var.project_id

  depends_on = [google_project_service.apis]
}

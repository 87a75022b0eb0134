# GitHub Actions of one repository come in with the token GitHub gives them: no key is kept anywhere.
locals {
  github = var.github_repository != null
}

resource "google_iam_workload_identity_pool" "github" {
  count = local.github ? 1 : 0

  workload_identity_pool_id = "${var.name}-github"
  display_name              = "GitHub Actions"

  depends_on = [google_project_service.apis]
}

resource "google_iam_workload_identity_pool_provider" "github" {
  count = local.github ? 1 : 0

  workload_identity_pool_id          = google_iam_workload_identity_pool.github[0].workload_identity_pool_id
  workload_identity_pool_provider_id = "github"
  display_name                       = "GitHub Actions"

  attribute_mapping = {
    "google.subject"       = "assertion.sub"
    "attribute.ref"        = "assertion.ref"
    "attribute.repository" = "assertion.repository"
  }

  # The main branch and version tags: not pull requests, not other branches, not forks.
  attribute_condition = join(" && ", [
    "assertion.repository == '${var.github_repository}'",
    "(assertion.ref == 'refs/heads/main' || assertion.ref.startsWith('refs/tags/v'))",
  ])

  oidc {
    issuer_uri = "https://token.actions.githubusercontent.com"
  }
}

resource "google_service_account" "github" {
  count = local.github ? 1 : 0

  account_id   = "${var.name}-github"
  display_name = "GitHub Actions of ${var.github_repository}"

  depends_on = [google_project_service.apis]
}

resource "google_service_account_iam_member" "github_tokens" {
  count = local.github ? 1 : 0

  service_account_id = google_service_account.github[0].name
  role               = "roles/iam.workloadIdentityUser"
  member             = "principalSet://iam.googleapis.com/${google_iam_workload_identity_pool.github[0].name}/attribute.repository/${var.github_repository}"
}

resource "google_artifact_registry_repository_iam_member" "github_pushes" {
  count = local.github ? 1 : 0

  repository = google_artifact_registry_repository.images.name
  location   = google_artifact_registry_repository.images.location
  role       = "roles/artifactregistry.writer"
  member     = google_service_account.github[0].member
}

resource "google_storage_bucket_iam_member" "github_writes" {
  for_each = local.github ? local.buckets : {}

  bucket = google_storage_bucket.this[each.key].name
  role   = "roles/storage.objectUser"
  member = google_service_account.github[0].member
}

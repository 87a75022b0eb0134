# GitHub Actions of one repository come in with the token GitHub gives them: no key is kept anywhere.
locals {
  github = var.github_repository != null
}

resource "google_iam_workload_identity_pool" "github" {
  count = local.github ? 1 : 0

  workload_identity_pool_id = "${var.name}-github"
  display_name              = "GitHub Actions"

  depends_on = [google_project_service.apis, google_project_service.chosen]
}

resource "google_iam_workload_identity_pool_provider" "github" {
  #checkov:skip=CKV_GCP_125:It asks for one form of sub, which changes with a job's environment; the repository does not.
  count = local.github ? 1 : 0

  workload_identity_pool_id          = google_iam_workload_identity_pool.github[0].workload_identity_pool_id
  workload_identity_pool_provider_id = "github"
  display_name                       = "GitHub Actions"

  # A pull request may come in, to plan; released is what the main branch and the tags of versions do.
  attribute_mapping = {
    "google.subject"     = "assertion.sub"
    "attribute.released" = "assertion.ref == 'refs/heads/main' || assertion.ref.startsWith('refs/tags/v') ? 'true' : 'false'"
  }

  # One repository: all of GitHub has the same issuer.
  attribute_condition = "assertion.repository == '${var.github_repository}'"

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
  member             = "principalSet://iam.googleapis.com/${google_iam_workload_identity_pool.github[0].name}/attribute.released/true"
}

resource "google_artifact_registry_repository_iam_member" "github_pushes" {
  count = local.github ? 1 : 0

  repository = google_artifact_registry_repository.images.name
  location   = google_artifact_registry_repository.images.location
  role       = "roles/artifactregistry.writer"
  member     = google_service_account.github[0].member
}

# New objects only: nothing is overwritten or deleted, so no workflow of this account puts a model in service.
resource "google_storage_bucket_iam_member" "github_adds" {
  for_each = local.github ? {
    for pair in setproduct(keys(local.buckets), ["objectCreator", "objectViewer"]) : join("-", pair) => pair
  } : {}

  bucket = google_storage_bucket.this[each.value[0]].name
  role   = "roles/storage.${each.value[1]}"
  member = google_service_account.github[0].member
}

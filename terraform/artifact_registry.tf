resource "google_artifact_registry_repository" "images" {
  repository_id          = var.name
  location               = var.region
  format                 = "DOCKER"
  description            = "Images of ${var.name}"
  kms_key_name           = var.cmek ? local.keys["registry"] : null
  cleanup_policy_dry_run = false

  docker_config {
    immutable_tags = true
  }

  vulnerability_scanning_config {
    enablement_config = "INHERITED"
  }

  # An image with a tag stays; of those without one, the youngest ten do.
  cleanup_policies {
    id     = "delete-untagged"
    action = "DELETE"

    condition {
      tag_state  = "UNTAGGED"
      older_than = "${30 * 24 * 60 * 60}s"
    }
  }

  cleanup_policies {
    id     = "keep-recent"
    action = "KEEP"

    most_recent_versions {
      keep_count = 10
    }
  }

  depends_on = [google_kms_crypto_key_iam_member.service_agents, google_project_service.apis]
}

resource "google_artifact_registry_repository_iam_member" "api_pulls" {
  repository = google_artifact_registry_repository.images.name
  location   = google_artifact_registry_repository.images.location
  role       = "roles/artifactregistry.reader"
  member     = google_service_account.api.member
}

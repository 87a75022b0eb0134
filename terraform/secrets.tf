# The secret without a value: a value would be in the plan and in the state. README.md says how to add one.
resource "google_secret_manager_secret" "api_key" {
  secret_id           = "${var.name}-api-key"
  deletion_protection = var.deletion_protection
  version_destroy_ttl = "${7 * 24 * 60 * 60}s" # a version destroyed by mistake can be had back for a week

  replication {
    user_managed {
      replicas {
        location = var.region

        dynamic "customer_managed_encryption" {
          for_each = var.cmek ? [local.keys["secret"]] : []

          content {
            kms_key_name = customer_managed_encryption.value
          }
        }
      }
    }
  }

  depends_on = [google_kms_crypto_key_iam_member.service_agents, google_project_service.apis]
}

resource "google_secret_manager_secret_iam_member" "api_reads_key" {
  secret_id = google_secret_manager_secret.api_key.secret_id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.api.member
}

resource "google_secret_manager_secret_iam_member" "others_read_key" {
  for_each = toset(var.api_key_readers)

  secret_id = google_secret_manager_secret.api_key.secret_id
  role      = "roles/secretmanager.secretAccessor"
  member    = "serviceAccount:${each.value}"
}

locals {
  # Each key is used by one of Google's services, for one kind of thing.
  key_users = var.cmek ? merge(
    {
      storage  = "serviceAccount:${data.google_storage_project_service_account.this[0].email_address}"
      disk     = "serviceAccount:service-${data.google_project.this.number}@compute-system.iam.gserviceaccount.com"
      secret   = "serviceAccount:service-${data.google_project.this.number}@gcp-sa-secretmanager.iam.gserviceaccount.com"
      registry = "serviceAccount:service-${data.google_project.this.number}@gcp-sa-artifactregistry.iam.gserviceaccount.com"
    },
    var.gke ? {
      gke = "serviceAccount:service-${data.google_project.this.number}@container-engine-robot.iam.gserviceaccount.com"
    } : {},
  ) : {}

  # Their ids, known before they are made; what uses a key depends on its service agent's right to it.
  key_ring = "projects/${var.project_id}/locations/${var.region}/keyRings/${var.name}"
  keys     = { for name in keys(local.key_users) : name => "${local.key_ring}/cryptoKeys/${name}" }
}

# Cloud Storage makes its service agent when it is asked for it.
data "google_storage_project_service_account" "this" {
  count = var.cmek ? 1 : 0

  depends_on = [google_project_service.apis]
}

resource "google_kms_key_ring" "this" {
  count = var.cmek ? 1 : 0

  name     = var.name
  location = var.region

  depends_on = [google_project_service.chosen]
}

resource "google_kms_crypto_key" "this" {
  for_each = toset(keys(local.key_users))

  name                       = each.value
  key_ring                   = google_kms_key_ring.this[0].id
  purpose                    = "ENCRYPT_DECRYPT"
  rotation_period            = format("%ds", var.kms_rotation_days * 86400)
  destroy_scheduled_duration = "${30 * 24 * 60 * 60}s"

  # Without its key everything it encrypts is lost.
  lifecycle {
    prevent_destroy = true
  }
}

resource "google_kms_crypto_key_iam_member" "service_agents" {
  for_each = local.key_users

  crypto_key_id = google_kms_crypto_key.this[each.key].id
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = each.value
}

locals {
  buckets = {
    models = "${var.project_id}-${var.name}-models"
    dvc    = "${var.project_id}-${var.name}-dvc"
  }
}

resource "google_storage_bucket" "this" {
  #checkov:skip=CKV_GCP_62:Reads and writes are in the audit log, see audit.tf.
  #checkov:skip=CKV_GCP_63:It has no access log, so none in itself.
  for_each = local.buckets

  name                        = each.value
  location                    = var.region
  storage_class               = "STANDARD"
  force_destroy               = false
  public_access_prevention    = "enforced"
  uniform_bucket_level_access = true

  versioning {
    enabled = true
  }

  soft_delete_policy {
    retention_duration_seconds = var.soft_delete_days * 24 * 60 * 60
  }

  # Only what was replaced or deleted long ago goes; a live object stays for ever.
  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      with_state                 = "ARCHIVED"
      days_since_noncurrent_time = var.noncurrent_days
      num_newer_versions         = 3
    }
  }

  lifecycle_rule {
    action {
      type = "AbortIncompleteMultipartUpload"
    }
    condition {
      age = 7
    }
  }

  dynamic "encryption" {
    for_each = var.cmek ? [local.keys["storage"]] : []

    content {
      default_kms_key_name = encryption.value
    }
  }

  depends_on = [google_kms_crypto_key_iam_member.service_agents, google_project_service.apis]
}

resource "google_storage_bucket_iam_member" "api_reads_models" {
  bucket = google_storage_bucket.this["models"].name
  role   = "roles/storage.objectViewer"
  member = google_service_account.api.member
}

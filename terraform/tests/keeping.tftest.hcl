# What is kept: buckets, the secret, images, keys.
mock_provider "google" {
  source          = "./tests/mocks"
  override_during = plan
}

variables {
  project_id = "test-project"
}

run "buckets_are_closed_and_keep_what_lives" {
  command = plan

  assert {
    condition     = alltrue([for bucket in google_storage_bucket.this : bucket.uniform_bucket_level_access && bucket.public_access_prevention == "enforced"])
    error_message = "A bucket can be opened to the public."
  }

  assert {
    condition     = alltrue([for bucket in google_storage_bucket.this : bucket.versioning[0].enabled && !bucket.force_destroy])
    error_message = "What is overwritten or destroyed is lost."
  }

  assert {
    condition = alltrue(flatten([for bucket in google_storage_bucket.this : [for rule in bucket.lifecycle_rule :
      one(rule.condition).with_state == "ARCHIVED" && one(rule.condition).days_since_noncurrent_time >= 7 if one(rule.action).type == "Delete"
    ]]))
    error_message = "A rule deletes live objects, or those that were just replaced."
  }

  assert {
    condition     = alltrue([for bucket in google_storage_bucket.this : toset([for rule in bucket.lifecycle_rule : one(rule.action).type]) == toset(["Delete", "AbortIncompleteMultipartUpload"])])
    error_message = "The rules are not those for old versions and for uploads that never ended."
  }

  assert {
    condition     = alltrue([for bucket in google_storage_bucket.this : bucket.soft_delete_policy[0].retention_duration_seconds == 604800])
    error_message = "What is deleted for good cannot be had back for a week."
  }

  assert {
    condition     = output.model_bucket == "test-project-mlops-core-models" && output.dvc_bucket == "test-project-mlops-core-dvc"
    error_message = "The buckets have other names."
  }
}

run "the_secret_is_protected" {
  command = plan

  assert {
    condition     = google_secret_manager_secret.api_key.deletion_protection && google_secret_manager_secret.api_key.version_destroy_ttl == "604800s"
    error_message = "The key is lost at once when somebody destroys it."
  }

  assert {
    condition     = google_secret_manager_secret.api_key.replication[0].user_managed[0].replicas[0].location == "europe-west1"
    error_message = "The key leaves the region."
  }

  assert {
    condition     = toset([for audit in google_project_iam_audit_config.data_access : audit.service]) == toset(["secretmanager.googleapis.com", "storage.googleapis.com"]) && alltrue([for audit in google_project_iam_audit_config.data_access : toset(audit.audit_log_config[*].log_type) == toset(["DATA_READ", "DATA_WRITE"])])
    error_message = "Nobody knows who read the key or the models."
  }
}

run "images_are_fixed_scanned_and_cleaned_up" {
  command = plan

  assert {
    condition     = google_artifact_registry_repository.images.docker_config[0].immutable_tags && google_artifact_registry_repository.images.repository_id == "mlops-core"
    error_message = "A tag can be moved to another image."
  }

  assert {
    condition     = google_artifact_registry_repository.images.vulnerability_scanning_config[0].enablement_config == "INHERITED" && contains(keys(google_project_service.apis), "containerscanning.googleapis.com")
    error_message = "Images are not scanned."
  }

  assert {
    condition     = !google_artifact_registry_repository.images.cleanup_policy_dry_run && alltrue([for policy in google_artifact_registry_repository.images.cleanup_policies : one(policy.condition).tag_state == "UNTAGGED" if policy.action == "DELETE"])
    error_message = "Images with a tag are deleted, or none is."
  }

  assert {
    condition     = output.registry == "europe-west1-docker.pkg.dev/test-project/mlops-core"
    error_message = "The registry is somewhere else."
  }
}

run "google_keeps_the_keys_unless_asked" {
  command = plan

  assert {
    condition     = length(google_kms_crypto_key.this) == 0 && length(google_kms_key_ring.this) == 0
    error_message = "There is a key that nobody asked for."
  }
}

run "own_keys_encrypt_everything" {
  command = plan

  variables {
    cmek = true
    gke  = true
  }

  assert {
    condition     = toset(keys(google_kms_crypto_key.this)) == toset(["disk", "gke", "registry", "secret", "storage"])
    error_message = "A kind of thing has no key of its own."
  }

  assert {
    condition     = alltrue([for key in google_kms_crypto_key.this : tonumber(trimsuffix(key.rotation_period, "s")) <= 90 * 24 * 60 * 60 && tonumber(trimsuffix(key.rotation_period, "s")) >= 24 * 60 * 60])
    error_message = "A key is not rotated within 90 days."
  }

  assert {
    condition     = alltrue([for bucket in google_storage_bucket.this : endswith(one(bucket.encryption).default_kms_key_name, "/cryptoKeys/storage")])
    error_message = "A bucket is not encrypted with its key."
  }

  assert {
    condition     = alltrue([for disk in google_compute_instance_template.api.disk : endswith(one(disk.disk_encryption_key).kms_key_self_link, "/cryptoKeys/disk")])
    error_message = "A disk is not encrypted with its key."
  }

  assert {
    condition     = alltrue([for replica in google_secret_manager_secret.api_key.replication[0].user_managed[0].replicas : endswith(one(replica.customer_managed_encryption).kms_key_name, "/cryptoKeys/secret")])
    error_message = "The secret is not encrypted with its key."
  }

  assert {
    condition     = google_artifact_registry_repository.images.kms_key_name == "projects/test-project/locations/europe-west1/keyRings/mlops-core/cryptoKeys/registry"
    error_message = "Images are not encrypted with their key."
  }

  assert {
    condition     = endswith(google_container_cluster.this[0].database_encryption[0].key_name, "/cryptoKeys/gke") && endswith(google_container_cluster.this[0].cluster_autoscaling[0].auto_provisioning_defaults[0].boot_disk_kms_key, "/cryptoKeys/disk")
    error_message = "The cluster is not encrypted with its keys."
  }

  assert {
    condition     = alltrue([for grant in google_kms_crypto_key_iam_member.service_agents : grant.role == "roles/cloudkms.cryptoKeyEncrypterDecrypter"]) && length(google_kms_crypto_key_iam_member.service_agents) == 5
    error_message = "A key can be used otherwise than by one of Google's services."
  }
}

locals {
  startup_script = templatefile("${path.module}/scripts/startup-script.sh.tpl", {
    project_id        = var.project_id
    region            = var.region
    image             = var.image == null ? "" : var.image
    api_key_secret    = google_secret_manager_secret.api_key.secret_id
    secret_version    = var.secret_version
    model_uri         = "gs://${google_storage_bucket.this["models"].name}/mlruns/"
    port              = local.port
    cors_origins      = join(",", local.cors_origins)
    domain            = local.letsencrypt ? var.domain : ""
    letsencrypt_email = local.letsencrypt ? var.letsencrypt_email : ""
    # The load balancer writes its own address after the client's, so that one is a proxy, too.
    forwarded_allow_ips = join(",", local.load_balancer ? compact(concat(local.google_front_ends, google_compute_global_address.this[*].address)) : [])
  })
  cors_origins = length(var.cors_origins) > 0 || var.domain == null ? var.cors_origins : ["https://${var.domain}"]
}

resource "google_compute_instance_template" "api" {
  name_prefix    = "${var.name}-"
  machine_type   = var.machine_type
  can_ip_forward = false
  labels         = local.labels

  # Docker, a read-only system and updates of its own.
  disk {
    source_image = "projects/cos-cloud/global/images/family/cos-stable"
    boot         = true
    auto_delete  = true
    disk_type    = "pd-balanced"
    disk_size_gb = var.disk_size_gb
    labels       = local.labels

    dynamic "disk_encryption_key" {
      for_each = var.cmek ? [local.keys["disk"]] : []

      content {
        kms_key_self_link = disk_encryption_key.value
      }
    }
  }

  # No access_config: no address of its own on the internet.
  network_interface {
    subnetwork = google_compute_subnetwork.private.id
  }

  service_account {
    email  = google_service_account.api.email
    scopes = ["cloud-platform"] # what it may do is said by its roles
  }

  shielded_instance_config {
    enable_secure_boot          = true
    enable_vtpm                 = true
    enable_integrity_monitoring = true
  }

  metadata = {
    block-project-ssh-keys = "true"
    enable-oslogin         = "true"
    serial-port-enable     = "false"
    startup-script         = local.startup_script
  }

  lifecycle {
    create_before_destroy = true
  }

  # What the script reads when it starts.
  depends_on = [
    google_artifact_registry_repository_iam_member.api_pulls,
    google_compute_router_nat.this,
    google_kms_crypto_key_iam_member.service_agents,
    google_project_iam_member.api_telemetry,
    google_secret_manager_secret_iam_member.api_reads_key,
    google_storage_bucket_iam_member.api_reads_models,
  ]
}

# Alive, not ready: a machine is not made anew because there is no model yet.
resource "google_compute_health_check" "alive" {
  name                = "${var.name}-alive"
  check_interval_sec  = 10
  timeout_sec         = 5
  healthy_threshold   = 1
  unhealthy_threshold = 6

  http_health_check {
    port         = local.port
    request_path = local.alive
  }

  log_config {
    enable = true
  }

  depends_on = [google_project_service.apis]
}

resource "google_compute_region_instance_group_manager" "api" {
  name               = var.name
  region             = var.region
  base_instance_name = var.name
  target_size        = var.image == null ? 0 : var.vm_count

  version {
    instance_template = google_compute_instance_template.api.self_link
  }

  named_port {
    name = "http"
    port = local.port
  }

  auto_healing_policies {
    health_check      = google_compute_health_check.alive.id
    initial_delay_sec = 300
  }

  # A new machine first, then the old one goes. With Let's Encrypt the same machine starts again: the certificate
  # is on its disk. Three is the number of zones, the least but 0 that a regional group takes.
  update_policy {
    type                  = "PROACTIVE"
    minimal_action        = local.letsencrypt ? "RESTART" : "REPLACE"
    max_surge_fixed       = local.letsencrypt ? 0 : 3
    max_unavailable_fixed = local.letsencrypt ? 3 : 0
  }
}

# TLS on the VM, ingress = "letsencrypt": packets are passed on as they are, so the VM keeps to private addresses
# and sees those of the clients.
resource "google_compute_address" "letsencrypt" {
  count = local.letsencrypt ? 1 : 0

  name   = "${var.name}-letsencrypt"
  region = var.region

  depends_on = [google_project_service.apis]
}

# Alive is enough: the check of the domain has to come through before there is a model.
resource "google_compute_region_health_check" "letsencrypt" {
  count = local.letsencrypt ? 1 : 0

  name               = "${var.name}-letsencrypt"
  region             = var.region
  check_interval_sec = 10
  timeout_sec        = 5

  http_health_check {
    port         = local.port
    request_path = local.alive
  }

  log_config {
    enable = true
  }

  depends_on = [google_project_service.apis]
}

resource "google_compute_region_backend_service" "letsencrypt" {
  count = local.letsencrypt ? 1 : 0

  name                            = "${var.name}-letsencrypt"
  region                          = var.region
  load_balancing_scheme           = "EXTERNAL"
  protocol                        = "TCP"
  connection_draining_timeout_sec = 40
  health_checks                   = [google_compute_region_health_check.letsencrypt[0].id]

  backend {
    group          = google_compute_region_instance_group_manager.api.instance_group
    balancing_mode = "CONNECTION"
  }

  log_config {
    enable      = true
    sample_rate = 1
  }
}

resource "google_compute_forwarding_rule" "letsencrypt" {
  count = local.letsencrypt ? 1 : 0

  name                  = "${var.name}-letsencrypt"
  region                = var.region
  load_balancing_scheme = "EXTERNAL"
  ip_address            = google_compute_address.letsencrypt[0].id
  ip_protocol           = "TCP"
  ports                 = ["80", "443"]
  backend_service       = google_compute_region_backend_service.letsencrypt[0].id
  labels                = local.labels
}

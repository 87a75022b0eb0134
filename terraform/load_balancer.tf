# The global HTTPS load balancer, ingress = "load_balancer".
resource "google_compute_global_address" "this" {
  count = local.load_balancer ? 1 : 0

  name = var.name

  depends_on = [google_project_service.apis]
}

resource "google_compute_health_check" "ready" {
  count = local.load_balancer ? 1 : 0

  name                = "${var.name}-ready"
  check_interval_sec  = 5
  timeout_sec         = 3
  healthy_threshold   = 1
  unhealthy_threshold = 2

  http_health_check {
    port         = local.port
    request_path = local.ready
  }

  log_config {
    enable = true
  }

  depends_on = [google_project_service.apis]
}

resource "google_compute_backend_service" "api" {
  count = local.load_balancer ? 1 : 0

  name                            = var.name
  load_balancing_scheme           = "EXTERNAL_MANAGED"
  protocol                        = "HTTP"
  port_name                       = "http"
  timeout_sec                     = 30
  connection_draining_timeout_sec = 40
  health_checks                   = [google_compute_health_check.ready[0].id]
  security_policy                 = one(google_compute_security_policy.this[*].id)

  backend {
    group           = google_compute_region_instance_group_manager.api.instance_group
    balancing_mode  = "UTILIZATION"
    max_utilization = 0.8
  }

  log_config {
    enable      = true
    sample_rate = 1
  }
}

resource "google_compute_url_map" "https" {
  count = local.load_balancer ? 1 : 0

  name            = "${var.name}-https"
  default_service = google_compute_backend_service.api[0].id

  host_rule {
    hosts        = ["*"]
    path_matcher = "api"
  }

  # The metrics stay inside, with or without Cloud Armor.
  path_matcher {
    name            = "api"
    default_service = google_compute_backend_service.api[0].id

    path_rule {
      paths   = ["/metrics", "/metrics/*"]
      service = google_compute_backend_service.api[0].id

      route_action {
        fault_injection_policy {
          abort {
            http_status = 404
            percentage  = 100
          }
        }
      }
    }
  }
}

# A certificate cannot change its domain: another domain is another certificate, made before the old one goes.
resource "google_compute_managed_ssl_certificate" "this" {
  count = local.load_balancer ? 1 : 0

  name = "${var.name}-${substr(sha256(var.domain), 0, 8)}"

  managed {
    domains = [var.domain]
  }

  lifecycle {
    create_before_destroy = true
  }

  depends_on = [google_project_service.apis]
}

resource "google_compute_ssl_policy" "this" {
  count = local.load_balancer ? 1 : 0

  name            = var.name
  profile         = "MODERN"
  min_tls_version = "TLS_1_2"

  depends_on = [google_project_service.apis]
}

resource "google_compute_target_https_proxy" "this" {
  count = local.load_balancer ? 1 : 0

  name             = var.name
  url_map          = google_compute_url_map.https[0].id
  ssl_certificates = [google_compute_managed_ssl_certificate.this[0].id]
  ssl_policy       = google_compute_ssl_policy.this[0].id
}

resource "google_compute_global_forwarding_rule" "https" {
  count = local.load_balancer ? 1 : 0

  name                  = "${var.name}-https"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  ip_address            = google_compute_global_address.this[0].id
  port_range            = "443"
  target                = google_compute_target_https_proxy.this[0].id
  labels                = local.labels
}

resource "google_compute_url_map" "redirect" {
  count = local.load_balancer ? 1 : 0

  name = "${var.name}-redirect"

  default_url_redirect {
    https_redirect         = true
    redirect_response_code = "PERMANENT_REDIRECT" # a POST stays a POST
    strip_query            = false
  }

  depends_on = [google_project_service.apis]
}

resource "google_compute_target_http_proxy" "redirect" {
  #checkov:skip=CKV_GCP_39:It answers with the redirect to HTTPS, nothing else.
  count = local.load_balancer ? 1 : 0

  name    = "${var.name}-redirect"
  url_map = google_compute_url_map.redirect[0].id
}

resource "google_compute_global_forwarding_rule" "redirect" {
  count = local.load_balancer ? 1 : 0

  name                  = "${var.name}-redirect"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  ip_address            = google_compute_global_address.this[0].id
  port_range            = "80"
  target                = google_compute_target_http_proxy.redirect[0].id
  labels                = local.labels
}

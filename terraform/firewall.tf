locals {
  # Who may come in, and on which ports: all that is not here is refused.
  ingress_rules = merge(
    {
      ssh    = { ports = ["22"], ranges = local.identity_aware_proxy }
      health = { ports = [tostring(local.port)], ranges = local.google_front_ends }
    },
    local.letsencrypt ? {
      network-lb-health = { ports = [tostring(local.port)], ranges = local.network_lb_checks }
      https             = { ports = ["443"], ranges = var.allowed_cidrs }
      # Let's Encrypt does not say from where it checks; this port answers that and redirects, nothing else.
      acme = { ports = ["80"], ranges = ["0.0.0.0/0"] }
    } : {},
    var.ingress == "none" && length(var.allowed_cidrs) > 0 ? {
      http = { ports = [tostring(local.port)], ranges = var.allowed_cidrs }
    } : {},
  )
}

resource "google_compute_firewall" "ingress" {
  #checkov:skip=CKV_GCP_106:Port 80 is open only with Let's Encrypt on the VM, whose check of the domain it answers.
  for_each = local.ingress_rules

  name                    = "${var.name}-allow-${each.key}"
  network                 = google_compute_network.this.id
  direction               = "INGRESS"
  priority                = 1000
  source_ranges           = each.value.ranges
  target_service_accounts = [google_service_account.api.email]

  allow {
    protocol = "tcp"
    ports    = each.value.ports
  }

  log_config {
    metadata = "INCLUDE_ALL_METADATA"
  }
}

resource "google_compute_firewall" "egress_https" {
  name               = "${var.name}-allow-egress-https"
  network            = google_compute_network.this.id
  direction          = "EGRESS"
  priority           = 1000
  destination_ranges = ["0.0.0.0/0"]

  allow {
    protocol = "tcp"
    ports    = ["443"]
  }

  log_config {
    metadata = "EXCLUDE_ALL_METADATA"
  }
}

# Nodes, pods and the control plane among themselves; GKE makes the rules for what comes in.
resource "google_compute_firewall" "egress_gke" {
  count = var.gke ? 1 : 0

  name               = "${var.name}-allow-egress-gke"
  network            = google_compute_network.this.id
  direction          = "EGRESS"
  priority           = 1000
  destination_ranges = [var.subnet_cidr, var.gke_pods_cidr, var.gke_services_cidr, var.gke_control_plane_cidr]

  allow {
    protocol = "all"
  }

  log_config {
    metadata = "EXCLUDE_ALL_METADATA"
  }
}

resource "google_compute_firewall" "deny" {
  for_each = toset(["INGRESS", "EGRESS"])

  name               = "${var.name}-deny-${lower(each.value)}"
  network            = google_compute_network.this.id
  direction          = each.value
  priority           = 65534
  source_ranges      = each.value == "INGRESS" ? ["0.0.0.0/0"] : null
  destination_ranges = each.value == "EGRESS" ? ["0.0.0.0/0"] : null

  deny {
    protocol = "all"
  }

  log_config {
    metadata = "INCLUDE_ALL_METADATA"
  }
}

# What Google would say, where a test asks whether two things are the same one.
mock_resource "google_compute_global_address" {
  defaults = {
    id = "global-address"
  }
}

mock_resource "google_compute_health_check" {
  defaults = {
    id = "health-check"
  }
}

mock_resource "google_compute_security_policy" {
  defaults = {
    id = "security-policy"
  }
}

mock_resource "google_compute_ssl_policy" {
  defaults = {
    id = "ssl-policy"
  }
}

mock_resource "google_compute_subnetwork" {
  defaults = {
    id = "subnetwork"
  }
}

locals {
  labels = merge(var.labels, {
    app         = var.name
    environment = var.environment
    managed-by  = "terraform"
  })

  load_balancer = var.ingress == "load_balancer"
  letsencrypt   = var.ingress == "letsencrypt"
  anyone        = contains(var.allowed_cidrs, "0.0.0.0/0")

  port  = 8000 # what the image listens on
  alive = "/livez"
  ready = "/readyz"

  # From where Google's load balancers connect and check health.
  google_front_ends    = ["35.191.0.0/16", "130.211.0.0/22"]
  network_lb_checks    = ["35.191.0.0/16", "209.85.152.0/22", "209.85.204.0/22"]
  identity_aware_proxy = ["35.235.240.0/20"]
}

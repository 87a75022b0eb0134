# The two ways in.
mock_provider "google" {
  source          = "./tests/mocks"
  override_during = plan
}

override_resource {
  target          = google_compute_url_map.redirect
  override_during = plan

  values = {
    id = "redirect"
  }
}

variables {
  project_id    = "test-project"
  image         = "europe-west1-docker.pkg.dev/test-project/mlops-core/mlops-core@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
  domain        = "api.example.com"
  allowed_cidrs = ["0.0.0.0/0"]
}

run "no_way_in_unless_asked" {
  command = plan

  variables {
    allowed_cidrs = []
  }

  assert {
    condition     = length(google_compute_global_forwarding_rule.https) == 0 && length(google_compute_forwarding_rule.letsencrypt) == 0 && length(google_compute_global_address.this) == 0
    error_message = "There is a public address that nobody asked for."
  }
}

run "the_load_balancer_speaks_tls" {
  command = plan

  variables {
    ingress = "load_balancer"
  }

  assert {
    condition     = google_compute_ssl_policy.this[0].min_tls_version == "TLS_1_2" && contains(["MODERN", "RESTRICTED"], google_compute_ssl_policy.this[0].profile)
    error_message = "TLS below 1.2, or weak ciphers, are accepted."
  }

  assert {
    condition     = google_compute_target_https_proxy.this[0].ssl_policy == "ssl-policy"
    error_message = "The policy for TLS is not that of the load balancer."
  }

  assert {
    condition     = google_compute_managed_ssl_certificate.this[0].managed[0].domains == tolist(["api.example.com"])
    error_message = "The certificate is for another domain."
  }

  assert {
    condition     = google_compute_url_map.redirect[0].default_url_redirect[0].https_redirect && google_compute_target_http_proxy.redirect[0].url_map == "redirect"
    error_message = "Port 80 does something else than redirect to HTTPS."
  }

  assert {
    condition     = google_compute_global_forwarding_rule.https[0].port_range == "443" && google_compute_global_forwarding_rule.redirect[0].port_range == "80"
    error_message = "The load balancer listens on other ports."
  }

  assert {
    condition     = google_compute_health_check.ready[0].http_health_check[0].request_path == "/readyz"
    error_message = "A VM without a model gets requests."
  }

  assert {
    condition     = toset(google_compute_url_map.https[0].path_matcher[0].path_rule[0].paths) == toset(["/metrics", "/metrics/*"]) && google_compute_url_map.https[0].path_matcher[0].path_rule[0].route_action[0].fault_injection_policy[0].abort[0].http_status == 404
    error_message = "The metrics are public."
  }

  assert {
    condition     = toset(keys(google_compute_firewall.ingress)) == toset(["ssh", "health"]) && alltrue([for rule in google_compute_firewall.ingress : !contains(rule.source_ranges, "0.0.0.0/0")])
    error_message = "Somebody gets past the load balancer."
  }

  assert {
    condition     = strcontains(google_compute_instance_template.api.metadata["startup-script"], "forwarded_allow_ips='35.191.0.0/16,130.211.0.0/22")
    error_message = "Every caller would have the address of the load balancer, and share its rate limit."
  }

  assert {
    condition     = strcontains(google_compute_instance_template.api.metadata["startup-script"], "cors_origins='https://api.example.com'")
    error_message = "The API would not start: without origins it takes those of its domain."
  }

  assert {
    condition     = length(google_monitoring_uptime_check_config.ready) == 1 && google_monitoring_uptime_check_config.ready[0].http_check[0].validate_ssl
    error_message = "Nobody looks from outside."
  }
}

run "cloud_armor_lets_in_by_one_rule" {
  command = plan

  variables {
    ingress       = "load_balancer"
    allowed_cidrs = ["203.0.113.0/24"]
  }

  assert {
    condition     = google_compute_backend_service.api[0].security_policy == "security-policy"
    error_message = "Cloud Armor does not stand before the API."
  }

  assert {
    condition     = alltrue([for rule in google_compute_security_policy.this[0].rule : rule.action != "allow"])
    error_message = "A rule lets callers in past the rate limit."
  }

  assert {
    condition     = one([for rule in google_compute_security_policy.this[0].rule : rule.action if rule.priority == 2147483647]) == "deny(403)"
    error_message = "What no rule names is let in."
  }

  assert {
    condition = one([for rule in google_compute_security_policy.this[0].rule :
      one(one(rule.match).config).src_ip_ranges == toset(["203.0.113.0/24"]) && one(rule.rate_limit_options).exceed_action == "deny(429)" && one(rule.rate_limit_options).ban_duration_sec == 600 && one(one(rule.rate_limit_options).rate_limit_threshold).count == 120
    if rule.action == "rate_based_ban"])
    error_message = "Others than those listed get in, or without a limit."
  }

  assert {
    condition = length([for rule in google_compute_security_policy.this[0].rule : rule
      if rule.action == "deny(403)" && !coalesce(rule.preview, false) && startswith(try(one(one(rule.match).expr).expression, ""), "evaluatePreconfiguredWaf('") && rule.priority < 3000
    ]) == 9
    error_message = "Google's nine sets of rules do not come before the rule that lets in, or refuse nothing."
  }

  assert {
    condition     = one([for rule in google_compute_security_policy.this[0].rule : rule.action == "deny(404)" && strcontains(one(one(rule.match).expr).expression, "'/metrics'") if rule.priority == 100])
    error_message = "The metrics are public."
  }

  assert {
    condition     = length(google_monitoring_uptime_check_config.ready) == 0
    error_message = "A check from outside cannot get in, and would alert for ever."
  }
}

run "rules_can_be_tried_first" {
  command = plan

  variables {
    ingress  = "load_balancer"
    waf_mode = "preview"
  }

  assert {
    condition     = length([for rule in google_compute_security_policy.this[0].rule : rule if coalesce(rule.preview, false)]) == 8
    error_message = "Google's rules cannot be tried."
  }
}

run "letsencrypt_needs_no_public_address_on_the_vm" {
  command = plan

  variables {
    ingress           = "letsencrypt"
    letsencrypt_email = "ops@example.com"
    allowed_cidrs     = ["203.0.113.0/24"]
  }

  assert {
    condition     = alltrue([for nic in google_compute_instance_template.api.network_interface : length(nic.access_config) == 0])
    error_message = "The VM has a public address."
  }

  assert {
    condition     = [for name, rule in google_compute_firewall.ingress : name if contains(rule.source_ranges, "0.0.0.0/0")] == ["acme"] && one(google_compute_firewall.ingress["acme"].allow).ports == tolist(["80"])
    error_message = "Everyone comes to more than the check of the domain."
  }

  assert {
    condition     = google_compute_firewall.ingress["https"].source_ranges == toset(["203.0.113.0/24"]) && one(google_compute_firewall.ingress["https"].allow).ports == tolist(["443"])
    error_message = "HTTPS is not for the listed networks."
  }

  assert {
    condition     = google_compute_forwarding_rule.letsencrypt[0].ports == toset(["80", "443"]) && google_compute_region_backend_service.letsencrypt[0].load_balancing_scheme == "EXTERNAL"
    error_message = "Packets are not passed on as they are, on two ports."
  }

  assert {
    condition     = strcontains(google_compute_instance_template.api.metadata["startup-script"], "domain='api.example.com'\nletsencrypt_email='ops@example.com'")
    error_message = "The VM does not ask for a certificate."
  }

  assert {
    condition     = google_compute_region_instance_group_manager.api.update_policy[0].minimal_action == "RESTART" && google_compute_region_instance_group_manager.api.update_policy[0].max_surge_fixed == 0
    error_message = "Each change loses the certificate, of which there are five a week."
  }

  assert {
    condition     = length(google_compute_global_forwarding_rule.https) == 0 && length(google_compute_security_policy.this) == 0
    error_message = "There is a load balancer, too."
  }
}

locals {
  armor = local.load_balancer && var.cloud_armor

  # Google's rule sets; each call goes through all of them before it may pass.
  waf_sets = [
    "sqli-v33-stable",
    "xss-v33-stable",
    "lfi-v33-stable",
    "rfi-v33-stable",
    "rce-v33-stable",
    "methodenforcement-v33-stable",
    "scannerdetection-v33-stable",
    "protocolattack-v33-stable",
  ]

  waf_rules = {
    for index, set in local.waf_sets : set => {
      priority    = 2000 + index
      expression  = "evaluatePreconfiguredWaf('${set}', {'sensitivity': ${var.waf_sensitivity}})"
      description = "Google's rules ${set}"
    }
  }
}

resource "google_compute_security_policy" "this" {
  count = local.armor ? 1 : 0

  name        = var.name
  description = "What may reach the API"
  type        = "CLOUD_ARMOR"

  advanced_options_config {
    json_parsing = "STANDARD"
    log_level    = "NORMAL"
  }

  adaptive_protection_config {
    layer_7_ddos_defense_config {
      enable          = true
      rule_visibility = "STANDARD"
    }
  }

  rule {
    action      = "deny(404)"
    priority    = 100
    description = "The metrics stay inside"

    match {
      expr {
        expression = "request.path.lower().urlDecode().startsWith('/metrics')"
      }
    }
  }

  rule {
    action      = "deny(403)"
    priority    = 1000
    description = "Log4Shell and its like"

    match {
      expr {
        expression = "evaluatePreconfiguredWaf('cve-canary')"
      }
    }
  }

  dynamic "rule" {
    for_each = local.waf_rules

    content {
      action      = "deny(403)"
      priority    = rule.value.priority
      preview     = var.waf_mode == "preview"
      description = rule.value.description

      match {
        expr {
          expression = rule.value.expression
        }
      }
    }
  }

  # The only rule that lets anyone in: listed addresses, each up to its rate.
  rule {
    action      = "rate_based_ban"
    priority    = 3000
    description = "So many calls a minute for each address, then a ban"

    match {
      versioned_expr = "SRC_IPS_V1"

      config {
        src_ip_ranges = var.allowed_cidrs
      }
    }

    rate_limit_options {
      conform_action   = "allow"
      exceed_action    = "deny(429)"
      enforce_on_key   = "IP"
      ban_duration_sec = 600

      rate_limit_threshold {
        count        = var.rate_limit_per_minute
        interval_sec = 60
      }

      ban_threshold {
        count        = var.rate_limit_per_minute * 5
        interval_sec = 300
      }
    }
  }

  rule {
    action      = "deny(403)"
    priority    = 2147483647
    description = "Everything else is refused"

    match {
      versioned_expr = "SRC_IPS_V1"

      config {
        src_ip_ranges = ["*"]
      }
    }
  }

  depends_on = [google_project_service.apis]
}

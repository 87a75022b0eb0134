# Who is told of what.

mock_provider "google" {
  source          = "./tests/mocks"
  override_during = plan
}

override_resource {
  target          = google_service_account.api
  override_during = plan

  values = {
    email = "api@test-project.iam.gserviceaccount.com"
  }
}

override_resource {
  target          = google_monitoring_notification_channel.email
  override_during = plan

  values = {
    id = "email"
  }
}

variables {
  project_id      = "test-project"
  alert_emails    = ["ops@example.com"]
  billing_account = "012345-6789AB-CDEF01"
  api_key_readers = ["deploy@test-project.iam.gserviceaccount.com"]
}

run "somebody_is_told" {
  command = plan

  assert {
    condition     = google_monitoring_notification_channel.email["ops@example.com"].labels.email_address == "ops@example.com"
    error_message = "Mail goes elsewhere."
  }

  assert {
    condition     = toset(keys(google_monitoring_alert_policy.this)) == toset(["errors", "latency", "quota", "secret-access", "vm"])
    error_message = "An alert is missing."
  }

  assert {
    condition     = alltrue([for policy in concat(values(google_monitoring_alert_policy.this), [google_monitoring_alert_policy.down]) : policy.notification_channels == tolist(["email"]) && length(policy.documentation[0].content) > 0])
    error_message = "An alert tells nobody, or does not say what to do."
  }

  assert {
    condition     = google_monitoring_alert_policy.down.conditions[0].condition_absent[0].filter == "resource.type=\"gce_instance\" AND metric.type=\"logging.googleapis.com/user/mlops-core/alive\""
    error_message = "Nobody notices that the API is down."
  }

  assert {
    condition     = one(one(google_monitoring_alert_policy.this["errors"].conditions).condition_threshold).denominator_filter == "resource.type=\"gce_instance\" AND metric.type=\"logging.googleapis.com/user/mlops-core/requests\"" && one(one(google_monitoring_alert_policy.this["errors"].conditions).condition_threshold).threshold_value == 0.05
    error_message = "Errors are not measured by the requests there are."
  }

  assert {
    condition     = alltrue([for policy in google_monitoring_alert_policy.this : strcontains(one(one(policy.conditions).condition_threshold).filter, "resource.type=")])
    error_message = "Google refuses a condition that does not say which kind of resource it is about."
  }

  assert {
    condition     = toset(google_billing_budget.this[0].threshold_rules[*].threshold_percent) == toset([0.5, 0.9, 1]) && google_billing_budget.this[0].amount[0].specified_amount[0].units == "100"
    error_message = "Nobody hears of the money before it is spent."
  }
}

run "the_log_is_read_as_it_is_written" {
  command = plan

  assert {
    condition     = google_logging_metric.counter["errors"].filter == "(resource.type=\"gce_instance\" OR resource.type=\"k8s_container\") AND jsonPayload.logger=\"request\" AND jsonPayload.route!=(\"/livez\" OR \"/readyz\" OR \"/metrics\") AND jsonPayload.status>=500"
    error_message = "Errors of callers are not counted, or probes are."
  }

  assert {
    condition     = google_logging_metric.latency.value_extractor == "EXTRACT(jsonPayload.duration_ms)" && google_logging_metric.latency.metric_descriptor[0].unit == "ms"
    error_message = "The duration is not read from the log."
  }

  assert {
    condition     = strcontains(google_logging_metric.counter["secret_access"].filter, "/secrets/mlops-core-api-key/") && strcontains(google_logging_metric.counter["secret_access"].filter, "NOT protoPayload.authenticationInfo.principalEmail=(\"api@test-project.iam.gserviceaccount.com\" OR \"deploy@test-project.iam.gserviceaccount.com\")")
    error_message = "Reading the key goes unnoticed, or the VM is reported for it."
  }

  assert {
    condition     = length(jsondecode(google_monitoring_dashboard.api.dashboard_json).gridLayout.widgets) == 7
    error_message = "The dashboard lacks a chart."
  }
}

run "without_addresses_and_account_nobody_is" {
  command = plan

  variables {
    alert_emails    = []
    billing_account = null
  }

  assert {
    condition     = length(google_monitoring_notification_channel.email) == 0 && length(google_billing_budget.this) == 0
    error_message = "There is a channel or a budget that nobody asked for."
  }
}

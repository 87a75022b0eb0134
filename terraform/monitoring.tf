locals {
  channels = [for channel in google_monitoring_notification_channel.email : channel.id]

  # The lines of src/serving/logs.py, one for each request; probes would hide what callers see.
  request_lines = "(resource.type=\"gce_instance\" OR resource.type=\"k8s_container\") AND jsonPayload.logger=\"request\""
  caller_lines  = "${local.request_lines} AND jsonPayload.route!=(\"${local.alive}\" OR \"${local.ready}\" OR \"/metrics\")"

  counters = {
    alive = {
      description = "Answers 200 to ${local.alive}, which health checks ask for all the time"
      filter      = "${local.request_lines} AND jsonPayload.route=\"${local.alive}\" AND jsonPayload.status=200"
    }
    requests = {
      description = "Requests of callers"
      filter      = local.caller_lines
    }
    errors = {
      description = "Requests of callers that were answered with 5xx"
      filter      = "${local.caller_lines} AND jsonPayload.status>=500"
    }
    secret_access = {
      description = "Who read the API key and is not meant to"
      filter = join(" AND ", [
        "resource.type=\"audited_resource\"",
        "protoPayload.serviceName=\"secretmanager.googleapis.com\"",
        "protoPayload.methodName=~\"AccessSecretVersion$\"",
        "protoPayload.resourceName=~\"/secrets/${google_secret_manager_secret.api_key.secret_id}/\"",
        "NOT protoPayload.authenticationInfo.principalEmail=(${join(" OR ", [for email in concat([google_service_account.api.email], var.api_key_readers) : "\"${email}\""])})",
      ])
    }
  }

  # What our lines are counted on; the cluster has its own alerts, in k8s/monitoring.
  on_vm = "resource.type=\"gce_instance\" AND metric.type"

  # A policy each: over the threshold for so many seconds.
  alerts = {
    errors = {
      title       = "The API fails requests"
      text        = "More than 5 % of requests were answered with 5xx. Look at the log: jsonPayload.level=\"ERROR\"."
      severity    = "CRITICAL"
      filter      = "${local.on_vm}=\"logging.googleapis.com/user/${google_logging_metric.counter["errors"].name}\""
      denominator = "${local.on_vm}=\"logging.googleapis.com/user/${google_logging_metric.counter["requests"].name}\""
      aligner     = "ALIGN_RATE"
      reducer     = "REDUCE_SUM"
      threshold   = 0.05
      seconds     = 300
    }
    latency = {
      title       = "The API is slow"
      text        = "One request in twenty takes longer than ${var.latency_threshold_ms} ms."
      severity    = "WARNING"
      filter      = "${local.on_vm}=\"logging.googleapis.com/user/${google_logging_metric.latency.name}\""
      denominator = null
      aligner     = "ALIGN_PERCENTILE_95"
      reducer     = "REDUCE_MAX"
      threshold   = var.latency_threshold_ms
      seconds     = 600
    }
    vm = {
      title       = "The VM is busy"
      text        = "Its processors are used to more than 90 %: raise machine_type or vm_count."
      severity    = "WARNING"
      filter      = "${local.on_vm}=\"compute.googleapis.com/instance/cpu/utilization\" AND metadata.user_labels.app=\"${var.name}\""
      denominator = null
      aligner     = "ALIGN_MEAN"
      reducer     = "REDUCE_MAX"
      threshold   = 0.9
      seconds     = 900
    }
    secret-access = {
      title       = "Someone read the API key"
      text        = "Not the VM, and none of api_key_readers: the audit log of Secret Manager says who. If it was nobody you know, add a new version and disable the old one."
      severity    = "CRITICAL"
      filter      = "resource.type=\"audited_resource\" AND metric.type=\"logging.googleapis.com/user/${google_logging_metric.counter["secret_access"].name}\""
      denominator = null
      aligner     = "ALIGN_DELTA"
      reducer     = "REDUCE_SUM"
      threshold   = 0
      seconds     = 0
    }
    quota = {
      title       = "A quota is used up"
      text        = "Google refused a call: ask for more under IAM & Admin, Quotas."
      severity    = "WARNING"
      filter      = "metric.type=\"serviceruntime.googleapis.com/quota/exceeded\" AND resource.type=\"consumer_quota\""
      denominator = null
      aligner     = "ALIGN_COUNT_TRUE"
      reducer     = "REDUCE_SUM"
      threshold   = 0
      seconds     = 0
    }
  }

  # Checks from outside get in only where everyone does.
  uptime = var.ingress != "none" && local.anyone
}

resource "google_monitoring_notification_channel" "email" {
  for_each = toset(var.alert_emails)

  display_name = each.value
  type         = "email"

  labels = {
    email_address = each.value
  }

  depends_on = [google_project_service.apis]
}

resource "google_logging_metric" "counter" {
  for_each = local.counters

  name        = "${var.name}/${each.key}"
  description = each.value.description
  filter      = each.value.filter

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
  }

  depends_on = [google_project_service.apis]
}

resource "google_logging_metric" "latency" {
  name            = "${var.name}/latency"
  description     = "How long requests of callers took"
  filter          = local.caller_lines
  value_extractor = "EXTRACT(jsonPayload.duration_ms)"

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "DISTRIBUTION"
    unit        = "ms"
  }

  # From a tenth of a millisecond to two minutes.
  bucket_options {
    exponential_buckets {
      scale              = 0.1
      growth_factor      = 1.5
      num_finite_buckets = 35
    }
  }

  depends_on = [google_project_service.apis]
}

resource "google_monitoring_uptime_check_config" "ready" {
  count = local.uptime ? 1 : 0

  display_name = "${var.name} is ready"
  timeout      = "10s"
  period       = "60s"

  http_check {
    path         = local.ready
    port         = 443
    use_ssl      = true
    validate_ssl = true

    accepted_response_status_codes {
      status_class = "STATUS_CLASS_2XX"
    }
  }

  monitored_resource {
    type = "uptime_url"

    labels = {
      host       = var.domain
      project_id = var.project_id
    }
  }

  depends_on = [google_project_service.apis]
}

resource "google_monitoring_alert_policy" "down" {
  display_name          = "${var.name}: the API is down"
  combiner              = "OR"
  severity              = "CRITICAL"
  notification_channels = local.channels

  conditions {
    display_name = "Health checks get no answer"

    condition_absent {
      filter   = "${local.on_vm}=\"logging.googleapis.com/user/${google_logging_metric.counter["alive"].name}\""
      duration = "300s"

      aggregations {
        alignment_period     = "60s"
        per_series_aligner   = "ALIGN_RATE"
        cross_series_reducer = "REDUCE_SUM"
      }
    }
  }

  dynamic "conditions" {
    for_each = google_monitoring_uptime_check_config.ready

    content {
      display_name = "Not ready from two places of the world"

      condition_threshold {
        filter          = "metric.type=\"monitoring.googleapis.com/uptime_check/check_passed\" AND resource.type=\"uptime_url\" AND metric.labels.check_id=\"${conditions.value.uptime_check_id}\""
        comparison      = "COMPARISON_GT"
        threshold_value = 1
        duration        = "120s"

        aggregations {
          alignment_period     = "120s"
          per_series_aligner   = "ALIGN_NEXT_OLDER"
          cross_series_reducer = "REDUCE_COUNT_FALSE"
        }
      }
    }
  }

  documentation {
    content   = "Look at the startup script first: gcloud compute instances get-serial-port-output, or the log of google-startup-scripts.service."
    mime_type = "text/markdown"
  }
}

resource "google_monitoring_alert_policy" "this" {
  for_each = local.alerts

  display_name          = "${var.name}: ${each.value.title}"
  combiner              = "OR"
  severity              = each.value.severity
  notification_channels = local.channels

  conditions {
    display_name = each.value.title

    condition_threshold {
      filter             = each.value.filter
      denominator_filter = each.value.denominator
      comparison         = "COMPARISON_GT"
      threshold_value    = each.value.threshold
      duration           = "${each.value.seconds}s"

      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = each.value.aligner
        cross_series_reducer = each.value.reducer
      }

      dynamic "denominator_aggregations" {
        for_each = each.value.denominator == null ? [] : [1]

        content {
          alignment_period     = "300s"
          per_series_aligner   = each.value.aligner
          cross_series_reducer = each.value.reducer
        }
      }
    }
  }

  documentation {
    content   = each.value.text
    mime_type = "text/markdown"
  }

  depends_on = [google_project_service.apis]
}

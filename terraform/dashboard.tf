locals {
  charts = [
    { title = "Requests a second", metric = google_logging_metric.counter["requests"].name, aligner = "ALIGN_RATE", reducer = "REDUCE_SUM" },
    { title = "5xx a second", metric = google_logging_metric.counter["errors"].name, aligner = "ALIGN_RATE", reducer = "REDUCE_SUM" },
    { title = "Duration in ms, 50 %", metric = google_logging_metric.latency.name, aligner = "ALIGN_PERCENTILE_50", reducer = "REDUCE_MAX" },
    { title = "Duration in ms, 95 %", metric = google_logging_metric.latency.name, aligner = "ALIGN_PERCENTILE_95", reducer = "REDUCE_MAX" },
    { title = "Answers to health checks a second", metric = google_logging_metric.counter["alive"].name, aligner = "ALIGN_RATE", reducer = "REDUCE_SUM" },
    { title = "Readings of the API key", metric = google_logging_metric.counter["secret_access"].name, aligner = "ALIGN_DELTA", reducer = "REDUCE_SUM" },
  ]
}

resource "google_monitoring_dashboard" "api" {
  dashboard_json = jsonencode({
    displayName = var.name

    gridLayout = {
      columns = "2"

      widgets = concat(
        [for chart in local.charts : {
          title = chart.title

          xyChart = {
            dataSets = [{
              timeSeriesQuery = {
                timeSeriesFilter = {
                  filter = "metric.type=\"logging.googleapis.com/user/${chart.metric}\""

                  aggregation = {
                    alignmentPeriod    = "60s"
                    perSeriesAligner   = chart.aligner
                    crossSeriesReducer = chart.reducer
                  }
                }
              }
            }]
          }
        }],
        [{
          title = "Errors"

          logsPanel = {
            filter = "jsonPayload.level=\"ERROR\""
          }
        }],
      )
    }
  })

  depends_on = [google_project_service.apis]
}

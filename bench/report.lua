-- Posts the body that the environment holds, and prints what wrk measured as one line of JSON.
wrk.method = "POST"
wrk.body = os.getenv("BODY")
wrk.headers["Content-Type"] = "application/json"

function done(summary, latency, requests)
    local errors = summary.errors
    local failures = errors.connect + errors.read + errors.write + errors.status + errors.timeout
    print(string.format(
        '{"requests": %d, "failures": %d, "seconds": %f, "p50_us": %f, "p99_us": %f}',
        summary.requests, failures, summary.duration / 1e6, latency:percentile(50), latency:percentile(99)
    ))
end

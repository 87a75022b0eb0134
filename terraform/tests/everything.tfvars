project_id        = "test-project"
image             = "europe-west1-docker.pkg.dev/test-project/mlops-core/mlops-core@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
ingress           = "load_balancer"
domain            = "api.example.com"
allowed_cidrs     = ["0.0.0.0/0"]
cors_origins      = ["https://app.example.com"]
cmek              = true
gke               = true
github_repository = "owner/name"
api_key_readers   = ["deploy@test-project.iam.gserviceaccount.com"]
alert_emails      = ["ops@example.com"]
billing_account   = "012345-6789AB-CDEF01"
labels            = { team = "ml" }
vm_count          = 2

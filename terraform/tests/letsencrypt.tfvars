project_id        = "test-project"
image             = "europe-west1-docker.pkg.dev/test-project/mlops-core/mlops-core@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
ingress           = "letsencrypt"
domain            = "api.example.com"
letsencrypt_email = "ops@example.com"
allowed_cidrs     = ["203.0.113.0/24"]
cmek              = true

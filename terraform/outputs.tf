output "api_key_secret" {
  description = "The secret that waits for the API key."
  value       = google_secret_manager_secret.api_key.secret_id
}

output "api_service_account" {
  description = "The VM's identity."
  value       = google_service_account.api.email
}

output "dvc_bucket" {
  description = "The bucket of the DVC remote."
  value       = google_storage_bucket.this["dvc"].name
}

output "github_service_account" {
  description = "Whom workflows of GitHub act as; null without github_repository."
  value       = one(google_service_account.github[*].email)
}

output "gke_cluster" {
  description = "The cluster's name; null without gke."
  value       = one(google_container_cluster.this[*].name)
}

output "gke_service_account" {
  description = "Whom the Kubernetes account mlops/iris-api acts as; null without gke."
  value       = one(google_service_account.gke_api[*].email)
}

output "image" {
  description = "The image the VMs run; null before the first."
  value       = var.image
}

output "instance_group" {
  description = "The managed instance group of the API, in the region."
  value       = google_compute_region_instance_group_manager.api.name
}

output "load_balancer_ip" {
  description = "The address the domain points to; null without ingress."
  value       = one(concat(google_compute_global_address.this[*].address, google_compute_address.letsencrypt[*].address))
}

output "model_bucket" {
  description = "The bucket of the models; the API follows mlruns/ in it."
  value       = google_storage_bucket.this["models"].name
}

output "region" {
  description = "The region of all this, and of the instance group."
  value       = var.region
}

output "registry" {
  description = "Where images are pushed to: host/project/repository."
  value       = "${var.region}-docker.pkg.dev/${var.project_id}/${google_artifact_registry_repository.images.repository_id}"
}

output "url" {
  description = "Where the API answers; null without ingress."
  value       = var.ingress == "none" ? null : "https://${var.domain}"
}

output "workload_identity_pool" {
  description = "The pool, to let another service account be used by one GitHub environment; null without github_repository."
  value       = one(google_iam_workload_identity_pool.github[*].name)
}

output "workload_identity_provider" {
  description = "What google-github-actions/auth asks for; null without github_repository."
  value       = one(google_iam_workload_identity_pool_provider.github[*].name)
}

# Who may do what: by the thing, never by the project.
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
  target          = google_service_account.gke_nodes
  override_during = plan

  values = {
    email = "nodes@test-project.iam.gserviceaccount.com"
  }
}

override_resource {
  target          = google_iam_workload_identity_pool.github
  override_during = plan

  values = {
    name = "projects/1/locations/global/workloadIdentityPools/github"
  }
}

variables {
  project_id        = "test-project"
  gke               = true
  github_repository = "owner/name"
}

run "the_project_grants_telemetry_only" {
  command = plan

  assert {
    condition     = toset(keys(google_project_iam_member.api_telemetry)) == toset(["roles/logging.logWriter", "roles/monitoring.metricWriter"])
    error_message = "The API has more on the project than writing logs and metrics."
  }

  assert {
    condition     = alltrue([for grant in concat(values(google_project_iam_member.api_telemetry), google_project_iam_member.gke_nodes) : !strcontains(grant.role, "storage") && !strcontains(grant.role, "secret")])
    error_message = "A role for storage or secrets is given on the whole project."
  }

  assert {
    condition = alltrue([for role in concat(
      [for grant in google_project_iam_member.api_telemetry : grant.role],
      google_project_iam_member.gke_nodes[*].role,
      google_storage_bucket_iam_member.gke_api_reads_models[*].role,
      [for grant in google_storage_bucket_iam_member.github_adds : grant.role],
      google_artifact_registry_repository_iam_member.github_pushes[*].role,
      google_artifact_registry_repository_iam_member.gke_nodes_pull[*].role,
      [google_storage_bucket_iam_member.api_reads_models.role, google_secret_manager_secret_iam_member.api_reads_key.role, google_artifact_registry_repository_iam_member.api_pulls.role],
    ) : !contains(["roles/owner", "roles/editor", "roles/viewer"], role) && !endswith(role, "dmin")])
    error_message = "Somebody owns, edits or administers."
  }
}

run "the_api_reads_its_models_its_key_and_its_image" {
  command = plan

  assert {
    condition     = google_storage_bucket_iam_member.api_reads_models.bucket == "test-project-mlops-core-models" && google_storage_bucket_iam_member.api_reads_models.role == "roles/storage.objectViewer"
    error_message = "The API may do something else than read models."
  }

  assert {
    condition     = google_secret_manager_secret_iam_member.api_reads_key.secret_id == "mlops-core-api-key" && google_secret_manager_secret_iam_member.api_reads_key.role == "roles/secretmanager.secretAccessor"
    error_message = "The API may do something else than read its key."
  }

  assert {
    condition     = google_artifact_registry_repository_iam_member.api_pulls.role == "roles/artifactregistry.reader"
    error_message = "The API may do something else than pull its image."
  }
}

run "the_cluster_reads_models_and_no_more" {
  command = plan

  assert {
    condition     = google_storage_bucket_iam_member.gke_api_reads_models[0].bucket == "test-project-mlops-core-models" && google_storage_bucket_iam_member.gke_api_reads_models[0].role == "roles/storage.objectViewer"
    error_message = "The API in the cluster may do something else than read models."
  }

  assert {
    condition     = google_service_account_iam_member.gke_api_identity[0].member == "serviceAccount:test-project.svc.id.goog[mlops/iris-api]" && google_service_account_iam_member.gke_api_identity[0].role == "roles/iam.workloadIdentityUser"
    error_message = "Someone else than mlops/iris-api acts as the API."
  }

  assert {
    condition     = google_project_iam_member.gke_nodes[0].role == "roles/container.defaultNodeServiceAccount"
    error_message = "Nodes may do more than nodes need."
  }

  assert {
    condition     = google_container_cluster.this[0].enable_autopilot && google_container_cluster.this[0].private_cluster_config[0].enable_private_nodes && google_container_cluster.this[0].private_cluster_config[0].enable_private_endpoint
    error_message = "The cluster is not Autopilot with private nodes and endpoint."
  }

  assert {
    condition     = google_container_cluster.this[0].cluster_autoscaling[0].auto_provisioning_defaults[0].service_account == "nodes@test-project.iam.gserviceaccount.com"
    error_message = "Nodes run as the default service account."
  }

  assert {
    condition     = google_compute_firewall.egress_gke[0].destination_ranges == toset(["10.10.0.0/24", "10.20.0.0/16", "10.30.0.0/20", "172.16.0.0/28"])
    error_message = "Nodes, pods and the control plane do not reach one another."
  }
}

run "github_comes_from_one_repository" {
  command = plan

  assert {
    condition     = google_iam_workload_identity_pool_provider.github[0].attribute_condition == "assertion.repository == 'owner/name'"
    error_message = "Another repository gets in."
  }

  assert {
    condition     = google_iam_workload_identity_pool_provider.github[0].oidc[0].issuer_uri == "https://token.actions.githubusercontent.com"
    error_message = "Tokens are not GitHub's."
  }

  assert {
    condition     = endswith(google_service_account_iam_member.github_tokens[0].member, "/attribute.released/true") && strcontains(google_iam_workload_identity_pool_provider.github[0].attribute_mapping["attribute.released"], "assertion.ref == 'refs/heads/main'")
    error_message = "A pull request may push images and models."
  }

  assert {
    condition     = google_artifact_registry_repository_iam_member.github_pushes[0].role == "roles/artifactregistry.writer" && toset([for grant in google_storage_bucket_iam_member.github_adds : grant.role]) == toset(["roles/storage.objectCreator", "roles/storage.objectViewer"])
    error_message = "Workflows may do more than push images and add objects."
  }
}

run "without_toggles_nobody_else_is_there" {
  command = plan

  variables {
    gke               = false
    github_repository = null
  }

  assert {
    condition     = length(google_container_cluster.this) == 0 && length(google_service_account.gke_api) == 0 && length(google_service_account.gke_nodes) == 0
    error_message = "There is a cluster, or an account for it, that nobody asked for."
  }

  assert {
    condition     = length(google_iam_workload_identity_pool.github) == 0 && length(google_service_account.github) == 0
    error_message = "GitHub gets in though nobody asked for it."
  }

  assert {
    condition     = output.gke_service_account == null && output.workload_identity_provider == null && output.github_service_account == null
    error_message = "An output names what is not there."
  }
}

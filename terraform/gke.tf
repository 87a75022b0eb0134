# The cluster for deploy/overlays/gke.
resource "google_service_account" "gke_nodes" {
  count = var.gke ? 1 : 0

  account_id   = "${var.name}-nodes"
  display_name = "Nodes of ${var.name}"

  depends_on = [google_project_service.apis]
}

# Logs and metrics of the nodes; it reads neither buckets nor secrets. It can be granted on the project only.
resource "google_project_iam_member" "gke_nodes" {
  count = var.gke ? 1 : 0

  project = var.project_id
  role    = "roles/container.defaultNodeServiceAccount"
  member  = google_service_account.gke_nodes[0].member
}

resource "google_artifact_registry_repository_iam_member" "gke_nodes_pull" {
  count = var.gke ? 1 : 0

  repository = google_artifact_registry_repository.images.name
  location   = google_artifact_registry_repository.images.location
  role       = "roles/artifactregistry.reader"
  member     = google_service_account.gke_nodes[0].member
}

resource "google_container_cluster" "this" {
  #checkov:skip=CKV_GCP_12:Autopilot runs Dataplane V2, which enforces network policies.
  #checkov:skip=CKV_GCP_61:Autopilot turns it on by itself.
  #checkov:skip=CKV_GCP_65:Google Groups for RBAC need a Workspace domain, which not every project has.
  #checkov:skip=CKV_GCP_68:Autopilot boots all nodes so.
  #checkov:skip=CKV_GCP_69:Autopilot runs the GKE metadata server on each node.
  count = var.gke ? 1 : 0

  name                = var.name
  location            = var.region
  network             = google_compute_network.this.id
  subnetwork          = google_compute_subnetwork.private.id
  enable_autopilot    = true
  deletion_protection = var.deletion_protection
  resource_labels     = local.labels

  release_channel {
    channel = "REGULAR"
  }

  ip_allocation_policy {
    cluster_secondary_range_name  = "pods"
    services_secondary_range_name = "services"
  }

  private_cluster_config {
    enable_private_nodes    = true
    enable_private_endpoint = true
    master_ipv4_cidr_block  = var.gke_control_plane_cidr
  }

  # kubectl comes by the DNS name, where IAM decides: gcloud container clusters get-credentials --dns-endpoint
  control_plane_endpoints_config {
    dns_endpoint_config {
      allow_external_traffic = true
    }
  }

  master_authorized_networks_config {}

  master_auth {
    client_certificate_config {
      issue_client_certificate = false
    }
  }

  binary_authorization {
    evaluation_mode = "PROJECT_SINGLETON_POLICY_ENFORCE"
  }

  cluster_autoscaling {
    auto_provisioning_defaults {
      service_account   = google_service_account.gke_nodes[0].email
      boot_disk_kms_key = var.cmek ? local.keys["disk"] : null
    }
  }

  dynamic "database_encryption" {
    for_each = var.cmek ? [local.keys["gke"]] : []

    content {
      state    = "ENCRYPTED"
      key_name = database_encryption.value
    }
  }

  depends_on = [
    google_kms_crypto_key_iam_member.service_agents,
    google_project_iam_member.gke_nodes,
    google_project_service.chosen,
  ]
}

# The API in the cluster: the Kubernetes account iris-api of namespace mlops is this one, and reads models.
resource "google_service_account" "gke_api" {
  count = var.gke ? 1 : 0

  account_id   = "${var.name}-gke"
  display_name = "API of ${var.name}, on GKE"

  depends_on = [google_project_service.apis]
}

resource "google_service_account_iam_member" "gke_api_identity" {
  count = var.gke ? 1 : 0

  service_account_id = google_service_account.gke_api[0].name
  role               = "roles/iam.workloadIdentityUser"
  member             = "serviceAccount:${var.project_id}.svc.id.goog[mlops/iris-api]"

  depends_on = [google_container_cluster.this] # it makes the pool of identities
}

resource "google_storage_bucket_iam_member" "gke_api_reads_models" {
  count = var.gke ? 1 : 0

  bucket = google_storage_bucket.this["models"].name
  role   = "roles/storage.objectViewer"
  member = google_service_account.gke_api[0].member
}

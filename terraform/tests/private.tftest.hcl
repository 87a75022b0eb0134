# The machine and who can reach it.
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
  target          = google_compute_health_check.alive
  override_during = plan

  values = {
    id = "alive"
  }
}

variables {
  project_id   = "test-project"
  image        = "europe-west1-docker.pkg.dev/test-project/mlops-core/mlops-core@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
  cors_origins = ["https://app.example.com"]
}

run "the_vm_is_private_and_shielded" {
  command = plan

  assert {
    condition     = alltrue([for nic in google_compute_instance_template.api.network_interface : length(nic.access_config) == 0 && length(nic.ipv6_access_config) == 0])
    error_message = "The VM has a public address."
  }

  assert {
    condition     = length(google_compute_instance_template.api.network_interface) == 1 && google_compute_instance_template.api.network_interface[0].subnetwork == "subnetwork"
    error_message = "The VM is not in the private subnet, and nowhere else."
  }

  assert {
    condition = alltrue([for shield in google_compute_instance_template.api.shielded_instance_config :
    shield.enable_secure_boot && shield.enable_vtpm && shield.enable_integrity_monitoring]) && length(google_compute_instance_template.api.shielded_instance_config) == 1
    error_message = "The VM is not shielded."
  }

  assert {
    condition     = google_compute_instance_template.api.metadata["enable-oslogin"] == "true" && google_compute_instance_template.api.metadata["block-project-ssh-keys"] == "true"
    error_message = "SSH does not go by OS Login alone."
  }

  assert {
    condition     = google_compute_instance_template.api.metadata["serial-port-enable"] == "false" && !google_compute_instance_template.api.can_ip_forward
    error_message = "The VM has a serial port or passes packets on."
  }

  assert {
    condition     = google_compute_instance_template.api.service_account[0].email == "api@test-project.iam.gserviceaccount.com"
    error_message = "The VM does not run as its own service account."
  }

  assert {
    condition     = google_compute_instance_template.api.disk[0].source_image == "projects/cos-cloud/global/images/family/cos-stable"
    error_message = "The startup script is written for Container-Optimized OS."
  }
}

run "the_startup_script_knows_what_it_needs_and_no_secret" {
  command = plan

  assert {
    condition     = strcontains(google_compute_instance_template.api.metadata["startup-script"], "image='${var.image}'")
    error_message = "The VM does not run the image by its digest."
  }

  assert {
    condition     = strcontains(google_compute_instance_template.api.metadata["startup-script"], "model_uri='gs://test-project-mlops-core-models/mlruns/'")
    error_message = "The API does not follow mlruns/ in the models bucket."
  }

  assert {
    condition     = strcontains(google_compute_instance_template.api.metadata["startup-script"], "api_key_secret='mlops-core-api-key'") && strcontains(google_compute_instance_template.api.metadata["startup-script"], "secret_version='latest'")
    error_message = "The VM does not read the key from Secret Manager."
  }

  assert {
    condition     = strcontains(google_compute_instance_template.api.metadata["startup-script"], "domain=''\nletsencrypt_email=''\nforwarded_allow_ips=''")
    error_message = "There is a proxy or TLS on the VM, where there should be none."
  }

  assert {
    condition     = sort(keys(google_compute_instance_template.api.metadata)) == tolist(["block-project-ssh-keys", "enable-oslogin", "serial-port-enable", "startup-script"])
    error_message = "The metadata, which everyone on the VM can read, holds something else."
  }
}

run "the_group_heals_itself" {
  command = plan

  assert {
    condition     = google_compute_region_instance_group_manager.api.target_size == 1 && google_compute_region_instance_group_manager.api.auto_healing_policies[0].health_check == "alive"
    error_message = "The group is not one VM that is made anew when it is no longer alive."
  }

  assert {
    condition     = google_compute_health_check.alive.http_health_check[0].request_path == "/livez" && google_compute_health_check.alive.http_health_check[0].port == 8000
    error_message = "A VM without a model would be made anew for ever."
  }

  assert {
    condition     = google_compute_region_instance_group_manager.api.update_policy[0].max_unavailable_fixed == 0 && google_compute_region_instance_group_manager.api.update_policy[0].max_surge_fixed == 3
    error_message = "A change takes the VM away before there is another."
  }
}

run "no_image_no_vm" {
  command = plan

  variables {
    image = null
  }

  assert {
    condition     = google_compute_region_instance_group_manager.api.target_size == 0
    error_message = "A VM runs without an image."
  }
}

run "the_subnet_is_private_and_logged" {
  command = plan

  assert {
    condition     = !google_compute_network.this.auto_create_subnetworks
    error_message = "The network has subnets in every region."
  }

  assert {
    condition     = google_compute_subnetwork.private.private_ip_google_access && google_compute_subnetwork.private.stack_type == "IPV4_ONLY"
    error_message = "Google's services cannot be reached privately."
  }

  assert {
    condition     = google_compute_subnetwork.private.log_config[0].flow_sampling == 0.5
    error_message = "There is no flow log."
  }

  assert {
    condition     = google_compute_router_nat.this.source_subnetwork_ip_ranges_to_nat == "LIST_OF_SUBNETWORKS" && one(google_compute_router_nat.this.subnetwork).name == "subnetwork"
    error_message = "The way out is not of the private subnet alone."
  }
}

run "the_firewall_refuses_what_is_not_allowed" {
  command = plan

  assert {
    condition = toset([for rule in google_compute_firewall.deny : rule.direction]) == toset(["INGRESS", "EGRESS"]) && alltrue([for rule in google_compute_firewall.deny :
    one(rule.deny).protocol == "all" && rule.priority == 65534 && length(rule.allow) == 0])
    error_message = "There is no rule that denies everything, in and out."
  }

  assert {
    condition     = google_compute_firewall.deny["INGRESS"].source_ranges == toset(["0.0.0.0/0"]) && google_compute_firewall.deny["EGRESS"].destination_ranges == toset(["0.0.0.0/0"])
    error_message = "The denying rules do not cover every address."
  }

  assert {
    condition     = toset(keys(google_compute_firewall.ingress)) == toset(["ssh", "health"])
    error_message = "More than SSH and health checks come in."
  }

  assert {
    condition     = alltrue([for rule in google_compute_firewall.ingress : alltrue([for range in rule.source_ranges : !endswith(range, "/0")])])
    error_message = "Everyone comes in."
  }

  assert {
    condition     = google_compute_firewall.ingress["ssh"].source_ranges == toset(["35.235.240.0/20"]) && one(google_compute_firewall.ingress["ssh"].allow).ports == tolist(["22"])
    error_message = "SSH does not come from the Identity-Aware Proxy alone."
  }

  assert {
    condition     = google_compute_firewall.ingress["health"].source_ranges == toset(["35.191.0.0/16", "130.211.0.0/22"]) && one(google_compute_firewall.ingress["health"].allow).ports == tolist(["8000"])
    error_message = "HTTP does not come from Google's front ends alone."
  }

  assert {
    condition     = alltrue([for rule in google_compute_firewall.ingress : rule.target_service_accounts == toset(["api@test-project.iam.gserviceaccount.com"])])
    error_message = "A rule opens more than the API's VM."
  }

  assert {
    condition     = one(google_compute_firewall.egress_https.allow).ports == tolist(["443"])
    error_message = "More than HTTPS goes out."
  }
}

run "listed_networks_reach_the_port" {
  command = plan

  variables {
    allowed_cidrs = ["10.8.0.0/16"]
  }

  assert {
    condition     = google_compute_firewall.ingress["http"].source_ranges == toset(["10.8.0.0/16"]) && one(google_compute_firewall.ingress["http"].allow).ports == tolist(["8000"])
    error_message = "The listed networks, and no others, do not reach the API."
  }
}

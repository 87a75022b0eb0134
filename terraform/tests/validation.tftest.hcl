# What may not be planned. Each run breaks each variable listed under expect_failures in one way.

mock_provider "google" {}

variables {
  project_id = "test-project"
}

run "names_that_google_does_not_take" {
  command = plan

  variables {
    project_id  = "My Project"
    environment = "prod"
    labels      = { Team = "ml" }
    name        = "MLOps"
    region      = "europe-west1-b"
  }

  expect_failures = [
    var.project_id,
    var.environment,
    var.labels,
    var.name,
    var.region,
  ]
}

run "networks_of_the_wrong_size_or_public" {
  command = plan

  variables {
    subnet_cidr            = "8.8.8.0/24"
    gke_control_plane_cidr = "172.16.0.0/24"
    gke_pods_cidr          = "10.20.0.0/24"
    gke_services_cidr      = "10.30.0.0/8"
  }

  expect_failures = [
    var.subnet_cidr,
    var.gke_control_plane_cidr,
    var.gke_pods_cidr,
    var.gke_services_cidr,
  ]
}

run "a_machine_that_cannot_boot_shielded" {
  command = plan

  variables {
    machine_type = "f1-micro"
    disk_size_gb = 5
  }

  expect_failures = [
    var.machine_type,
    var.disk_size_gb,
  ]
}

run "objects_that_cannot_be_had_back" {
  command = plan

  variables {
    noncurrent_days  = 1
    soft_delete_days = 0
  }

  expect_failures = [
    var.noncurrent_days,
    var.soft_delete_days,
  ]
}

run "keys_rotated_too_late" {
  command = plan

  variables {
    kms_rotation_days = 91
  }

  expect_failures = [
    var.kms_rotation_days,
  ]
}

run "a_key_in_place_of_its_version" {
  command = plan

  variables {
    secret_version = "a-key-by-mistake"
  }

  expect_failures = [
    var.secret_version,
  ]
}

run "every_repository_of_an_owner" {
  command = plan

  variables {
    github_repository = "owner/*"
  }

  expect_failures = [
    var.github_repository,
  ]
}

run "a_third_way_in" {
  command = plan

  variables {
    ingress = "public"
  }

  expect_failures = [
    var.ingress,
  ]
}

run "pages_of_every_origin" {
  command = plan

  variables {
    cors_origins = ["*"]
  }

  expect_failures = [
    var.cors_origins,
  ]
}

run "rules_that_are_off" {
  command = plan

  variables {
    rate_limit_per_minute = 0
    waf_mode              = "off"
    waf_sensitivity       = 0
  }

  expect_failures = [
    var.rate_limit_per_minute,
    var.waf_mode,
    var.waf_sensitivity,
  ]
}

run "nobody_to_tell" {
  command = plan

  variables {
    alert_emails         = ["ops"]
    billing_account      = "my-account"
    budget_amount        = 0
    latency_threshold_ms = 0
  }

  expect_failures = [
    var.alert_emails,
    var.billing_account,
    var.budget_amount,
    var.latency_threshold_ms,
  ]
}

run "entrance_settings_that_are_none" {
  command = plan

  variables {
    allowed_cidrs     = ["203.0.113.0/33"]
    domain            = "localhost"
    letsencrypt_email = "nobody"
    vm_count          = 0
  }

  expect_failures = [
    var.allowed_cidrs,
    var.domain,
    var.letsencrypt_email,
    var.vm_count,
  ]
}

run "an_image_by_tag" {
  command = plan

  variables {
    cors_origins = ["https://app.example.com"]
    image        = "europe-west1-docker.pkg.dev/test-project/mlops-core/mlops-core:latest"
  }

  expect_failures = [
    var.image,
  ]
}

run "the_load_balancer_without_what_it_needs" {
  command = plan

  variables {
    ingress = "load_balancer"
  }

  expect_failures = [
    var.allowed_cidrs,
    var.domain,
  ]
}

run "letsencrypt_without_what_it_needs" {
  command = plan

  variables {
    ingress       = "letsencrypt"
    domain        = "api.example.com"
    allowed_cidrs = ["0.0.0.0/0"]
    vm_count      = 2
  }

  expect_failures = [
    var.letsencrypt_email,
    var.vm_count,
  ]
}

run "everyone_without_a_load_balancer_and_an_image_without_origins" {
  command = plan

  variables {
    allowed_cidrs = ["0.0.0.0/0"]
    image         = "europe-west1-docker.pkg.dev/test-project/mlops-core/mlops-core@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
  }

  expect_failures = [
    var.allowed_cidrs,
    var.image,
  ]
}

run "more_networks_than_a_rule_takes_and_an_image_from_elsewhere" {
  command = plan

  variables {
    allowed_cidrs = [for index in range(11) : "10.${index}.0.0/16"]
    cors_origins  = ["https://app.example.com"]
    image         = "europe-west1-docker.pkg.dev/another-project/mlops-core/mlops-core@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
  }

  expect_failures = [
    var.allowed_cidrs,
    var.image,
  ]
}

run "a_list_that_nothing_enforces" {
  command = plan

  variables {
    ingress       = "load_balancer"
    domain        = "api.example.com"
    allowed_cidrs = ["203.0.113.0/24"]
    cloud_armor   = false
  }

  expect_failures = [
    var.cloud_armor,
  ]
}

run "people_who_read_the_key" {
  command = plan

  variables {
    api_key_readers = ["ops@example.com"]
  }

  expect_failures = [
    var.api_key_readers,
  ]
}

run "beyond_the_other_end" {
  command = plan

  variables {
    kms_rotation_days = 0
    vm_count          = 11
    soft_delete_days  = 91
    secret_version    = "0"
    cors_origins      = ["https://app.example.com/path"]
    domain            = "api.example.com'; reboot"
    labels            = { team = "It's" }
  }

  expect_failures = [
    var.kms_rotation_days,
    var.vm_count,
    var.soft_delete_days,
    var.secret_version,
    var.cors_origins,
    var.domain,
    var.labels,
  ]
}

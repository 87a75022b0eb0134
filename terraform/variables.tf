variable "alert_emails" {
  description = "Addresses that are told of alerts and of the budget; none: alerts are seen in the console only."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for email in var.alert_emails : can(regex("^[^@\\s'\"]+@[^@\\s'\"]+\\.[a-z]+$", email))])
    error_message = "alert_emails: each is an address such as ops@example.com."
  }
}

variable "allowed_cidrs" {
  description = "Networks whose clients may call the API; [\"0.0.0.0/0\"] is everyone, which only ingress takes. None: nobody."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for cidr in var.allowed_cidrs : can(cidrnetmask(cidr))])
    error_message = "allowed_cidrs: each is an IPv4 network such as 203.0.113.0/24."
  }

  validation {
    condition     = length(var.allowed_cidrs) <= 10
    error_message = "allowed_cidrs: a rule of Cloud Armor takes ten at most."
  }

  validation {
    condition     = var.ingress == "none" || length(var.allowed_cidrs) > 0
    error_message = "allowed_cidrs: say who may call the API; [\"0.0.0.0/0\"] is everyone."
  }

  validation {
    condition     = var.ingress != "none" || !anytrue([for cidr in var.allowed_cidrs : endswith(cidr, "/0")])
    error_message = "allowed_cidrs: everyone may come through a load balancer only; set ingress, or name private networks."
  }
}

variable "api_key_readers" {
  description = "E-mails of service accounts that read the API key beside the VM, to try a deployment; others raise an alert."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for email in var.api_key_readers : can(regex("^[a-z0-9-]+@[a-z0-9-]+\\.iam\\.gserviceaccount\\.com$", email))])
    error_message = "api_key_readers: each is a service account such as deploy@project.iam.gserviceaccount.com."
  }
}

variable "billing_account" {
  description = "Billing account for a monthly budget, such as 012345-6789AB-CDEF01; null: no budget."
  type        = string
  default     = null

  validation {
    condition     = var.billing_account == null || can(regex("^[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}$", var.billing_account))
    error_message = "billing_account: three times six digits or letters A to F, such as 012345-6789AB-CDEF01."
  }
}

variable "budget_amount" {
  description = "The budget of a month, whole, in the currency of the billing account."
  type        = number
  default     = 100
  nullable    = false

  validation {
    condition     = var.budget_amount >= 1 && floor(var.budget_amount) == var.budget_amount
    error_message = "budget_amount: a whole number of 1 or more."
  }
}

variable "cloud_armor" {
  description = "Whether Cloud Armor stands before the load balancer: allow-list, rate limit, Google's rules."
  type        = bool
  default     = true
  nullable    = false

  validation {
    condition     = var.cloud_armor || var.ingress != "load_balancer" || contains(var.allowed_cidrs, "0.0.0.0/0")
    error_message = "cloud_armor: without it the load balancer lets everyone in; leave it on or allow 0.0.0.0/0."
  }
}

variable "cmek" {
  description = "Whether buckets, disks, the secret, the registry and the cluster are encrypted with keys of your own."
  type        = bool
  default     = false
  nullable    = false
}

variable "cors_origins" {
  description = "Origins whose pages may call the API; none: https://<domain>."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for origin in var.cors_origins : can(regex("^https?://[a-z0-9.-]+(:[0-9]+)?$", origin))])
    error_message = "cors_origins: each is an origin such as https://app.example.com, without * and without a path."
  }
}

variable "deletion_protection" {
  description = "Whether the secret and the cluster refuse to be destroyed."
  type        = bool
  default     = true
  nullable    = false
}

variable "disk_size_gb" {
  description = "The VM's disk in GB."
  type        = number
  default     = 20
  nullable    = false

  validation {
    condition     = var.disk_size_gb >= 10 && var.disk_size_gb <= 200
    error_message = "disk_size_gb: 10 to 200."
  }
}

variable "domain" {
  description = "The API's host name, which points to the output load_balancer_ip; needed with ingress."
  type        = string
  default     = null

  validation {
    condition     = var.domain == null || can(regex("^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z]{2,63}$", var.domain))
    error_message = "domain: a host name such as api.example.com."
  }

  validation {
    condition     = var.ingress == "none" || var.domain != null
    error_message = "domain: ingress needs it for the certificate."
  }
}

variable "environment" {
  description = "What this is for; a label on everything."
  type        = string
  default     = "production"
  nullable    = false

  validation {
    condition     = contains(["development", "staging", "production"], var.environment)
    error_message = "environment: development, staging or production."
  }
}

variable "github_repository" {
  description = "The repository whose workflows push images and models, as owner/name; null: none."
  type        = string
  default     = null

  validation {
    condition     = var.github_repository == null || can(regex("^[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+$", var.github_repository))
    error_message = "github_repository: one repository as owner/name, without *."
  }
}

variable "gke" {
  description = "Whether there is a GKE Autopilot cluster for deploy/overlays/gke."
  type        = bool
  default     = false
  nullable    = false
}

variable "gke_control_plane_cidr" {
  description = "The control plane's network, a /28."
  type        = string
  default     = "172.16.0.0/28"
  nullable    = false

  validation {
    condition     = can(cidrnetmask(var.gke_control_plane_cidr)) && endswith(var.gke_control_plane_cidr, "/28")
    error_message = "gke_control_plane_cidr: an IPv4 network with /28."
  }
}

variable "gke_pods_cidr" {
  description = "The pods' network."
  type        = string
  default     = "10.20.0.0/16"
  nullable    = false

  validation {
    condition     = can(cidrnetmask(var.gke_pods_cidr)) && can(regex("/(1[1-9]|2[01])$", var.gke_pods_cidr))
    error_message = "gke_pods_cidr: an IPv4 network with /11 to /21."
  }
}

variable "gke_services_cidr" {
  description = "The services' network."
  type        = string
  default     = "10.30.0.0/20"
  nullable    = false

  validation {
    condition     = can(cidrnetmask(var.gke_services_cidr)) && can(regex("/(1[6-9]|2[0-7])$", var.gke_services_cidr))
    error_message = "gke_services_cidr: an IPv4 network with /16 to /27."
  }
}

variable "image" {
  description = "The API's image by digest, in the registry this makes; null: no VM runs yet."
  type        = string
  default     = null

  validation {
    condition     = var.image == null || can(regex("^[a-z0-9-]+-docker\\.pkg\\.dev/[a-z0-9:.-]+/[a-z0-9-]+/[a-z0-9._/-]+@sha256:[0-9a-f]{64}$", var.image))
    error_message = "image: by digest, such as europe-west1-docker.pkg.dev/project/mlops-core/mlops-core@sha256:…; a tag can be moved to another image."
  }

  validation {
    condition     = var.image == null || startswith(coalesce(var.image, "-"), "${var.region}-docker.pkg.dev/${var.project_id}/${var.name}/")
    error_message = "image: not in the registry this makes, where alone the VM may pull; see the output registry."
  }

  validation {
    condition     = var.image == null || length(var.cors_origins) > 0 || var.domain != null
    error_message = "image: in production the API does not start without cors_origins, or a domain they follow from."
  }
}

variable "ingress" {
  description = "How callers come in: none (IAP and allowed_cidrs only), load_balancer (HTTPS, managed certificate) or letsencrypt (TLS on one VM)."
  type        = string
  default     = "none"
  nullable    = false

  validation {
    condition     = contains(["none", "load_balancer", "letsencrypt"], var.ingress)
    error_message = "ingress: none, load_balancer or letsencrypt."
  }
}

variable "kms_rotation_days" {
  description = "After how many days a key gets a new version."
  type        = number
  default     = 90
  nullable    = false

  validation {
    condition     = var.kms_rotation_days >= 1 && var.kms_rotation_days <= 90 && floor(var.kms_rotation_days) == var.kms_rotation_days
    error_message = "kms_rotation_days: 1 to 90."
  }
}

variable "labels" {
  description = "Labels for everything, beside app, environment and managed-by."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for key, value in var.labels : can(regex("^[a-z][a-z0-9_-]{0,62}$", key)) && can(regex("^[a-z0-9_-]{0,63}$", value))])
    error_message = "labels: small letters, digits, _ and -, up to 63; keys begin with a letter."
  }
}

variable "latency_threshold_ms" {
  description = "The alert is for one request in twenty slower than this."
  type        = number
  default     = 500
  nullable    = false

  validation {
    condition     = var.latency_threshold_ms > 0
    error_message = "latency_threshold_ms: more than 0."
  }
}

variable "letsencrypt_email" {
  description = "Where Let's Encrypt writes to; needed with ingress = \"letsencrypt\"."
  type        = string
  default     = null

  validation {
    condition     = var.letsencrypt_email == null || can(regex("^[^@\\s'\"]+@[^@\\s'\"]+\\.[a-z]+$", var.letsencrypt_email))
    error_message = "letsencrypt_email: an address such as ops@example.com."
  }

  validation {
    condition     = var.ingress != "letsencrypt" || var.letsencrypt_email != null
    error_message = "letsencrypt_email: ingress letsencrypt needs it."
  }
}

variable "machine_type" {
  description = "The VM's machine type; one that can boot shielded."
  type        = string
  default     = "e2-small"
  nullable    = false

  validation {
    condition     = can(regex("^(e2|n2|n2d|c3|c3d|c4|n4)-[a-z0-9-]+$", var.machine_type))
    error_message = "machine_type: of the families e2, n2, n2d, n4, c3, c3d or c4, such as e2-small."
  }
}

variable "name" {
  description = "The name everything begins with, and the registry's."
  type        = string
  default     = "mlops-core"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,18}[a-z0-9]$", var.name))
    error_message = "name: 4 to 20 small letters, digits and -, beginning with a letter."
  }
}

variable "noncurrent_days" {
  description = "For how many days a replaced or deleted object can be had back at least."
  type        = number
  default     = 90
  nullable    = false

  validation {
    condition     = var.noncurrent_days >= 7 && floor(var.noncurrent_days) == var.noncurrent_days
    error_message = "noncurrent_days: 7 or more."
  }
}

variable "project_id" {
  description = "The project everything is made in."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project_id))
    error_message = "project_id: the id, not the name or number: 6 to 30 small letters, digits and -."
  }
}

variable "rate_limit_per_minute" {
  description = "Calls a minute Cloud Armor lets through for each address; five times that in five minutes is a ban of ten."
  type        = number
  default     = 120
  nullable    = false

  validation {
    condition     = var.rate_limit_per_minute >= 10 && var.rate_limit_per_minute <= 2000
    error_message = "rate_limit_per_minute: 10 to 2000."
  }
}

variable "region" {
  description = "The region everything is in."
  type        = string
  default     = "europe-west1"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.region))
    error_message = "region: such as europe-west1, not a zone."
  }
}

variable "secret_version" {
  description = "The version of the API key to serve with: latest, or a number to pin it."
  type        = string
  default     = "latest"
  nullable    = false

  validation {
    condition     = can(regex("^(latest|[1-9][0-9]*)$", var.secret_version))
    error_message = "secret_version: latest or a number. The key itself never goes into Terraform."
  }
}

variable "soft_delete_days" {
  description = "For how many days even an object deleted for good can be had back."
  type        = number
  default     = 7
  nullable    = false

  validation {
    condition     = var.soft_delete_days >= 7 && var.soft_delete_days <= 90
    error_message = "soft_delete_days: 7 to 90."
  }
}

variable "subnet_cidr" {
  description = "The private subnet."
  type        = string
  default     = "10.10.0.0/24"
  nullable    = false

  validation {
    condition     = can(cidrnetmask(var.subnet_cidr)) && can(regex("^(10\\.|172\\.(1[6-9]|2[0-9]|3[01])\\.|192\\.168\\.).*/(1[6-9]|2[0-8])$", var.subnet_cidr))
    error_message = "subnet_cidr: a private IPv4 network with /16 to /28."
  }
}

variable "vm_count" {
  description = "How many VMs serve; each counts its own rate limits."
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = var.vm_count >= 1 && var.vm_count <= 10 && floor(var.vm_count) == var.vm_count
    error_message = "vm_count: 1 to 10."
  }

  validation {
    condition     = var.vm_count == 1 || var.ingress != "letsencrypt"
    error_message = "vm_count: with letsencrypt one VM holds the certificate; use the load balancer for more."
  }
}

variable "waf_mode" {
  description = "Whether Google's rules refuse (enforce) or only log (preview)."
  type        = string
  default     = "enforce"
  nullable    = false

  validation {
    condition     = contains(["enforce", "preview"], var.waf_mode)
    error_message = "waf_mode: enforce or preview."
  }
}

variable "waf_sensitivity" {
  description = "How much Google's rules suspect, 1 (least) to 4."
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = contains([1, 2, 3, 4], var.waf_sensitivity)
    error_message = "waf_sensitivity: 1, 2, 3 or 4."
  }
}

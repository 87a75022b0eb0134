##@ Kubernetes

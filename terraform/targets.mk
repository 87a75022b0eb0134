##@ Google Cloud

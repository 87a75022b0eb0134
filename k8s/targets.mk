##@ Kubernetes

# Always the cluster that was set up, or the one K8S_CONTEXT names; never the current context.
.PHONY: k8s-setup
k8s-setup: ## Start minikube with mlruns/ mounted
	scripts/k8s/setup.sh minikube

.PHONY: k8s-setup-kind
k8s-setup-kind: ## Start a kind cluster instead of minikube
	scripts/k8s/setup.sh kind

.PHONY: k8s-deploy
k8s-deploy: ## Deploy the API with the model store in mlruns/ and wait for the rollout
	scripts/k8s/deploy.sh $(or $(OVERLAY),local)

.PHONY: k8s-deploy-mlflow
k8s-deploy-mlflow: ## Deploy MLflow and the API that follows it; OVERLAY=mlflow-postgres uses PostgreSQL
	scripts/k8s/deploy.sh $(or $(OVERLAY),mlflow)

.PHONY: k8s-train
k8s-train: ## Run the training Job, stream its log and wait until the API serves the result
	scripts/k8s/train.sh

.PHONY: k8s-status
k8s-status: ## List the resources
	scripts/k8s/kubectl.sh get pods,deployments,jobs,cronjobs,services,ingresses,hpa,pvc --selector app.kubernetes.io/component!=monitoring

.PHONY: k8s-logs
k8s-logs: ## Stream the API logs
	scripts/k8s/kubectl.sh logs --selector app.kubernetes.io/name=iris-api --prefix --tail 100 --follow --max-log-requests 20

.PHONY: k8s-port-forward
k8s-port-forward: ## Forward the API to http://localhost:8000
	scripts/k8s/port-forward.sh iris-api:8000

.PHONY: k8s-mlflow-ui
k8s-mlflow-ui: ## Forward MLflow to http://localhost:5000
	scripts/k8s/port-forward.sh mlflow:5000

.PHONY: k8s-test
k8s-test: ## Test the API in the cluster: health, a prediction, metrics
	scripts/k8s/test.sh

.PHONY: k8s-delete
k8s-delete: ## Delete everything but the monitoring; keeps volumes and secrets
	scripts/k8s/delete.sh

.PHONY: k8s-clean
k8s-clean: ## Delete the namespace with volumes and secrets; asks unless CONFIRM=yes
	scripts/k8s/clean.sh

.PHONY: k8s-monitoring-deploy
k8s-monitoring-deploy: ## Deploy Prometheus, Alertmanager and Grafana and wait for the rollout
	scripts/k8s/monitoring.sh

.PHONY: k8s-monitoring-status
k8s-monitoring-status: ## List the monitoring resources
	scripts/k8s/kubectl.sh get pods,deployments,services,pvc --selector app.kubernetes.io/component=monitoring

.PHONY: k8s-monitoring-logs
k8s-monitoring-logs: ## Stream the logs of Prometheus and Alertmanager
	scripts/k8s/kubectl.sh logs --selector 'app.kubernetes.io/name in (prometheus, alertmanager)' --prefix --tail 100 --follow

.PHONY: k8s-monitoring-logs-grafana
k8s-monitoring-logs-grafana: ## Stream the Grafana logs
	scripts/k8s/kubectl.sh logs --selector app.kubernetes.io/name=grafana --prefix --tail 100 --follow

.PHONY: k8s-monitoring-port-forward
k8s-monitoring-port-forward: ## Forward Grafana, Prometheus and Alertmanager to ports 3000, 9090 and 9093
	scripts/k8s/port-forward.sh grafana:3000 prometheus:9090 alertmanager:9093

.PHONY: k8s-monitoring-delete
k8s-monitoring-delete: ## Delete the monitoring; keeps volumes and secrets
	scripts/k8s/delete.sh monitoring

.PHONY: test-k8s
test-k8s: $(INSTALLED) ## Render and test the manifests; requires kubectl
	python -m pytest tests/k8s --numprocesses 0 --no-cov

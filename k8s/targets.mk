##@ Kubernetes

# Always the cluster that was set up, or the one K8S_CONTEXT names; never the current context.
.PHONY: k8s-setup
k8s-setup: ## Start minikube on this machine, with mlruns/ in it
	scripts/k8s/setup.sh minikube

.PHONY: k8s-setup-kind
k8s-setup-kind: ## Start a kind cluster instead
	scripts/k8s/setup.sh kind

.PHONY: k8s-deploy
k8s-deploy: ## Deploy the API on the model store in mlruns/, and wait until it serves
	scripts/k8s/deploy.sh $(or $(OVERLAY),local)

.PHONY: k8s-deploy-mlflow
k8s-deploy-mlflow: ## Deploy MLflow and the API that follows it; on PostgreSQL with OVERLAY=mlflow-postgres
	scripts/k8s/deploy.sh $(or $(OVERLAY),mlflow)

.PHONY: k8s-train
k8s-train: ## Train in the cluster, show the log, and wait until the API serves the result
	scripts/k8s/train.sh

.PHONY: k8s-status
k8s-status: ## List what runs
	scripts/k8s/kubectl.sh get pods,deployments,jobs,cronjobs,services,ingresses,hpa,pvc --selector app.kubernetes.io/component!=monitoring

.PHONY: k8s-logs
k8s-logs: ## Follow the logs of the API
	scripts/k8s/kubectl.sh logs --selector app.kubernetes.io/name=iris-api --prefix --tail 100 --follow --max-log-requests 20

.PHONY: k8s-port-forward
k8s-port-forward: ## Reach the API on http://localhost:8000
	scripts/k8s/port-forward.sh iris-api:8000

.PHONY: k8s-mlflow-ui
k8s-mlflow-ui: ## Reach MLflow on http://localhost:5000
	scripts/k8s/port-forward.sh mlflow:5000

.PHONY: k8s-test
k8s-test: ## Ask the API in the cluster for its health, a prediction and its metrics
	scripts/k8s/test.sh

.PHONY: k8s-delete
k8s-delete: ## Remove all but the monitoring; volumes and secrets stay
	scripts/k8s/delete.sh

.PHONY: k8s-clean
k8s-clean: ## Delete the namespace with its volumes and secrets; asks, unless CONFIRM=yes
	scripts/k8s/clean.sh

.PHONY: k8s-monitoring-deploy
k8s-monitoring-deploy: ## Deploy Prometheus, Alertmanager and Grafana, and wait until they run
	scripts/k8s/monitoring.sh

.PHONY: k8s-monitoring-status
k8s-monitoring-status: ## List what runs of the monitoring
	scripts/k8s/kubectl.sh get pods,deployments,services,pvc --selector app.kubernetes.io/component=monitoring

.PHONY: k8s-monitoring-logs
k8s-monitoring-logs: ## Follow the logs of Prometheus and Alertmanager
	scripts/k8s/kubectl.sh logs --selector 'app.kubernetes.io/name in (prometheus, alertmanager)' --prefix --tail 100 --follow

.PHONY: k8s-monitoring-logs-grafana
k8s-monitoring-logs-grafana: ## Follow the logs of Grafana
	scripts/k8s/kubectl.sh logs --selector app.kubernetes.io/name=grafana --prefix --tail 100 --follow

.PHONY: k8s-monitoring-port-forward
k8s-monitoring-port-forward: ## Reach Grafana, Prometheus and Alertmanager on ports 3000, 9090 and 9093
	scripts/k8s/port-forward.sh grafana:3000 prometheus:9090 alertmanager:9093

.PHONY: k8s-monitoring-delete
k8s-monitoring-delete: ## Remove the monitoring; volumes and secrets stay
	scripts/k8s/delete.sh monitoring

.PHONY: test-k8s
test-k8s: $(INSTALLED) ## Render the manifests and test them; needs kubectl
	python -m pytest tests/k8s --numprocesses 0 --no-cov

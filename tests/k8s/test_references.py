"""What the rendered objects name is there: in each other, in the code, in the images and in Compose."""

import copy
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path

import pytest
import yaml
from mlflow.server.security_utils import HEALTH_ENDPOINTS
from pydantic import ValidationError

from scripts import ingress
from src.config import Settings
from src.errors import GateError, UsageError
from src.serving.endpoints import ENDPOINTS
from src.serving.factory import create_app
from src.serving.http.shutdown import HANDSHAKE_SECONDS
from src.store.location import locate
from src.version import VERSION
from tests.conftest import REPOSITORY
from tests.k8s.conftest import DEPLOY, K8S, OVERLAYS, Object, one, render
from tests.k8s.references import Pods, dangling, pods_of
from tests.k8s.room import quantity, too_small

COMPOSE = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text())["services"]
DOCKERFILE = (REPOSITORY / "Dockerfile").read_text()
API = "iris-api"
RUNS = ["base", *OVERLAYS]  # what can be deployed, the monitoring beside it
LAPTOP = ["local", "mlflow", "mlflow-postgres"]
WITH_MLFLOW = ["base", "mlflow", "mlflow-postgres"]

each_run = pytest.mark.parametrize("run", RUNS)


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def deployed(rendered: dict[str, list[Object]]) -> Callable[[str], list[Object]]:
    """Return the objects of a run, with the monitoring, as one's own to change."""

    def objects(run: str) -> list[Object]:
        return copy.deepcopy(rendered[run] + rendered["monitoring"])

    return objects


@lru_cache
def secrets() -> dict[str, set[str]]:
    """The secrets of the examples, and their keys."""
    files = (K8S / "secret.yaml.example", K8S / "monitoring/secrets.yaml.example")
    found = [each for file in files for each in yaml.safe_load_all(file.read_text())]
    return {each["metadata"]["name"]: set(each["stringData"]) for each in found}


def by_hand() -> list[Object]:
    return [yaml.safe_load(file.read_text()) for file in sorted(K8S.glob("*nodeport.yaml"))]


def starting(objects: list[Object], kind: str, name: str) -> Object:
    """Return the one object of that kind whose name is `name`, or that and a digest."""
    [found] = [
        each
        for each in objects
        if each["kind"] == kind and re.fullmatch(rf"{name}(-[a-z0-9]{{10}})?", each["metadata"]["name"])
    ]
    return found


def pods(objects: list[Object], name: str) -> Pods:
    [found] = [each for each in pods_of(objects) if each.owner["metadata"]["name"] == name]
    return found


def container(objects: list[Object], name: str) -> Object:
    [found] = pods(objects, name).containers
    return found


# No dangling reference


@each_run
def test_what_is_named_is_there(deployed: Callable[[str], list[Object]], run: str) -> None:
    assert dangling(deployed(run), secrets()) == []


@each_run
def test_what_is_applied_by_hand_fits(deployed: Callable[[str], list[Object]], run: str) -> None:
    objects = deployed(run) + by_hand()

    assert [each["kind"] for each in by_hand()] == ["NetworkPolicy", "Service"]
    assert dangling(objects, secrets()) == []
    assert too_small(objects) == []


def test_the_volume_of_a_laptop_is_the_one_of_its_claim(rendered: dict[str, list[Object]]) -> None:
    claim = one(rendered["local"], "PersistentVolumeClaim", "mlruns-pvc")
    volume = one(rendered["local"], "PersistentVolume", claim["spec"]["volumeName"])["spec"]

    assert volume["claimRef"] == {key: claim["metadata"][key] for key in ("namespace", "name")}
    assert volume["storageClassName"] == claim["spec"]["storageClassName"]
    assert volume["accessModes"] == claim["spec"]["accessModes"]
    assert volume["capacity"]["storage"] == claim["spec"]["resources"]["requests"]["storage"]


@pytest.mark.parametrize("run", ["base", "gke"])
def test_a_certificate_is_for_the_host_that_is_served(rendered: dict[str, list[Object]], run: str) -> None:
    ingress = one(rendered[run], "Ingress", API)["spec"]
    managed = [each["spec"]["domains"] for each in rendered[run] if each["kind"] == "ManagedCertificate"]
    [rule] = ingress["rules"]

    assert [*managed, *(each["hosts"] for each in ingress.get("tls", []))] == [[rule["host"]]]


# Against the code


@each_run
def test_the_settings_of_the_api_are_those_it_reads(
    deployed: Callable[[str], list[Object]], run: str
) -> None:
    data = starting(deployed(run), "ConfigMap", API)["data"]
    given = {name.lower(): value for name, value in data.items()}

    assert given.keys() | {"api_key"} <= Settings.model_fields.keys()
    assert all(name == name.upper() for name in data)
    assert Settings(**given, api_key="k" * 64).environment == "production"


def test_the_secret_of_the_api_holds_settings_where_it_looks_for_them(
    rendered: dict[str, list[Object]],
) -> None:
    api = container(rendered["base"], API)
    [mount] = [each for each in api["volumeMounts"] if each["name"] == "keys"]

    assert {key.lower() for key in secrets()[API]} <= Settings.model_fields.keys()
    assert mount == {"name": "keys", "mountPath": "/run/secrets", "readOnly": True}


def test_a_secret_nobody_filled_in_is_refused(rendered: dict[str, list[Object]]) -> None:
    example = next(yaml.safe_load_all((K8S / "secret.yaml.example").read_text()))
    data = starting(rendered["base"], "ConfigMap", API)["data"]
    given = {name.lower(): value for name, value in (data | example["stringData"]).items()}

    with pytest.raises(ValidationError, match="needs at least 32 characters"):
        Settings(**given)


@pytest.mark.parametrize(
    ("run", "kind"),
    [
        ("base", "server"),
        ("mlflow", "server"),
        ("mlflow-postgres", "server"),
        ("local", "folder"),
        ("gke", "bucket"),
    ],
)
def test_each_overlay_has_its_source_of_models(
    rendered: dict[str, list[Object]], run: str, kind: str
) -> None:
    data = starting(rendered[run], "ConfigMap", API)["data"]
    names = {each.owner["metadata"]["name"] for each in pods_of(rendered[run])}

    assert locate(Settings(mlflow_tracking_uri=data["MLFLOW_TRACKING_URI"])).kind == kind
    assert names & {"mlflow", "train"} == ({"mlflow", "train"} if kind == "server" else set())


def test_the_model_store_of_a_laptop_is_mounted_where_the_api_looks(
    rendered: dict[str, list[Object]],
) -> None:
    objects = rendered["local"]
    data = starting(objects, "ConfigMap", API)["data"]
    [mount] = [each for each in container(objects, API)["volumeMounts"] if each["name"] == "mlruns"]
    scripts = (REPOSITORY / "scripts/k8s/lib.sh").read_text()
    path = one(objects, "PersistentVolume", "mlops-mlruns")["spec"]["hostPath"]["path"]

    assert re.findall(r"^WORKDIR (.*)$", DOCKERFILE, re.M)[-1] == "/app"
    assert mount["mountPath"] == f"/app/{data['MLFLOW_TRACKING_URI']}"
    assert re.findall(r"MLRUNS_ON_NODE=(\S+)", scripts) == [path]


def test_what_google_cloud_has_for_us_is_called_as_terraform_calls_it(
    rendered: dict[str, list[Object]],
) -> None:
    terraform = {file.name: file.read_text() for file in (REPOSITORY / "terraform").glob("*.tf")}
    [name] = re.findall(r'variable "name" {.*?default *= "([^"]+)"', terraform["variables.tf"], re.S)
    [account] = re.findall(r'"gke_api" {.*?account_id *= "([^"]+)"', terraform["gke.tf"], re.S)
    [bucket] = re.findall(r'models = "([^"]+)"', terraform["storage.tf"])
    said = {"${var.name}": name, "${var.project_id}": "PROJECT_ID", "${var.region}": "REGION"}

    def filled_in(text: str) -> str:
        return re.sub(r"\$\{[^}]+\}", lambda found: said[found[0]], text)

    data = starting(rendered["gke"], "ConfigMap", API)["data"]
    annotations = one(rendered["gke"], "ServiceAccount", API)["metadata"]["annotations"]
    assert data["MLFLOW_TRACKING_URI"] == f"gs://{filled_in(bucket)}/mlruns"
    assert annotations["iam.gke.io/gcp-service-account"].partition("@")[0] == filled_in(account)
    assert container(rendered["gke"], API)["image"].startswith(f"REGION-docker.pkg.dev/PROJECT_ID/{name}/")


@each_run
def test_the_api_is_asked_on_routes_it_has(deployed: Callable[[str], list[Object]], run: str) -> None:
    objects = deployed(run)
    api = container(objects, API)
    probes = {name: api[name]["httpGet"]["path"] for name in api if name.endswith("Probe")}
    others = [
        each["spec"]["healthCheck"]["requestPath"] for each in objects if each["kind"] == "BackendConfig"
    ]
    others += [
        endpoint["path"]
        for each in objects
        if each["kind"] == "PodMonitoring"
        for endpoint in each["spec"]["endpoints"]
    ]

    assert probes == {"startupProbe": "/livez", "readinessProbe": "/readyz", "livenessProbe": "/livez"}
    assert {*probes.values(), *others} <= {endpoint.path for endpoint in ENDPOINTS}


@pytest.mark.parametrize("run", WITH_MLFLOW)
def test_mlflow_is_asked_where_it_answers_to_any_name(rendered: dict[str, list[Object]], run: str) -> None:
    server = container(rendered[run], "mlflow")
    paths = {server[name]["httpGet"]["path"] for name in server if name.endswith("Probe")}

    assert paths <= set(HEALTH_ENDPOINTS)


@pytest.mark.parametrize("run", WITH_MLFLOW)
def test_mlflow_knows_every_name_it_is_called_by(rendered: dict[str, list[Object]], run: str) -> None:
    service = one(rendered[run], "Service", "mlflow")
    [port] = [each["port"] for each in service["spec"]["ports"]]
    [hosts] = [
        each for each in container(rendered[run], "mlflow")["args"] if each.startswith("--allowed-hosts=")
    ]
    names = ["mlflow" + rest for rest in ("", ".mlops", ".mlops.svc", ".mlops.svc.cluster.local")]

    assert hosts.removeprefix("--allowed-hosts=").split(",") == [
        f"{name}:{port}" for name in (*names, "localhost", "127.0.0.1")
    ]


@each_run
def test_the_world_may_call_all_but_what_is_for_the_cluster(
    rendered: dict[str, list[Object]], run: str
) -> None:
    [rule] = one(rendered[run], "Ingress", API)["spec"]["rules"]
    paths = {each["path"]: each["pathType"] for each in rule["http"]["paths"]}
    internal = {endpoint.path for endpoint in ENDPOINTS if endpoint.internal}

    assert internal == {"/livez", "/metrics", "/model/reload", "/readyz"}
    assert paths == ingress.allowed()
    assert not {"/metrics", "/livez", "/readyz"} & paths.keys()


@each_run
def test_a_pod_has_longer_to_stop_than_it_takes(rendered: dict[str, list[Object]], run: str) -> None:
    data = starting(rendered[run], "ConfigMap", API)["data"]
    settings = Settings(drain_seconds=data["DRAIN_SECONDS"], shutdown_seconds=data["SHUTDOWN_SECONDS"])
    spec = pods(rendered[run], API).spec

    assert "lifecycle" not in spec["containers"][0]  # a preStop would be counted here
    assert (
        settings.drain_seconds + HANDSHAKE_SECONDS + settings.shutdown_seconds
        < spec["terminationGracePeriodSeconds"]
    )


@each_run
def test_a_pod_drains_longer_than_others_take_to_notice(rendered: dict[str, list[Object]], run: str) -> None:
    data = starting(rendered[run], "ConfigMap", API)["data"]
    probe = container(rendered[run], API)["readinessProbe"]
    checks = [each["spec"]["healthCheck"] for each in rendered[run] if each["kind"] == "BackendConfig"]
    seconds = [probe["failureThreshold"] * probe["periodSeconds"] + probe["timeoutSeconds"]] + [
        each["unhealthyThreshold"] * each["checkIntervalSec"] + each["timeoutSec"] for each in checks
    ]

    assert max(seconds) < float(data["DRAIN_SECONDS"])


def test_the_load_balancer_lets_go_of_a_pod_no_sooner_than_the_pod_of_a_request(
    rendered: dict[str, list[Object]],
) -> None:
    draining = one(rendered["gke"], "BackendConfig", API)["spec"]["connectionDraining"]["drainingTimeoutSec"]

    assert draining >= int(starting(rendered["gke"], "ConfigMap", API)["data"]["SHUTDOWN_SECONDS"])


def test_a_training_is_not_tried_again_where_it_would_fail_again(rendered: dict[str, list[Object]]) -> None:
    rules = one(rendered["base"], "CronJob", "train")["spec"]["jobTemplate"]["spec"]["podFailurePolicy"][
        "rules"
    ]

    assert rules[1]["action"] == "FailJob"
    assert rules[1]["onExitCodes"]["containerName"] == container(rendered["base"], "train")["name"]
    assert rules[1]["onExitCodes"]["values"] == [UsageError.exit_code, GateError.exit_code]


def with_component(folder: Path, name: str) -> list[Object]:
    """Return the base as an overlay in `folder` renders it with that component."""
    names = [K8S, REPOSITORY / "deploy/components" / name]
    base, component = (Path("/".join([".."] * (len(folder.parts) - 1)) + str(each)) for each in names)
    (folder / "kustomization.yaml").write_text(f"resources: [{base}]\ncomponents: [{component}]\n")
    return render(folder)


def test_the_training_can_run_every_week(rendered: dict[str, list[Object]], tmp_path: Path) -> None:
    suspended = [
        one(objects, "CronJob", "train")["spec"]["suspend"]
        for objects in (rendered["base"], with_component(tmp_path, "weekly"))
    ]

    assert suspended == [True, False]


def test_the_autoscaler_can_count_requests_in_flight(tmp_path: Path) -> None:
    metrics = create_app(Settings()).state.shared.metrics.render().decode()

    spec = one(with_component(tmp_path, "in-flight"), "HorizontalPodAutoscaler", API)["spec"]

    assert [metric["type"] for metric in spec["metrics"]] == ["Resource", "Pods"]
    assert f"# TYPE {spec['metrics'][1]['pods']['metric']['name']} gauge" in metrics


# Against the images and Compose


def bare(image: str) -> str:
    """Return an image without its registry and its digest."""
    return image.partition("@")[0].removeprefix("REGION-docker.pkg.dev/PROJECT_ID/mlops-core/")


@each_run
def test_no_service_becomes_a_variable(rendered: dict[str, list[Object]], run: str) -> None:
    """A service called mlflow would be MLFLOW_PORT=tcp://…, which MLflow reads as its own port."""
    for some in pods_of(rendered[run]):
        assert some.spec["enableServiceLinks"] is False


@each_run
def test_images_are_those_of_compose(deployed: Callable[[str], list[Object]], run: str) -> None:
    images = {bare(each["image"]) for some in pods_of(deployed(run)) for each in some.containers}
    ours = {image for image in images if image.startswith("mlops-core")}

    assert images <= {service["image"] for service in COMPOSE.values()}
    assert {image.partition(":")[2] for image in ours} == {VERSION}


def test_every_image_of_compose_is_somewhere(rendered: dict[str, list[Object]]) -> None:
    images = {
        bare(each["image"])
        for objects in rendered.values()
        for some in pods_of(objects)
        for each in some.containers
    }

    assert images == {service["image"] for service in COMPOSE.values()}


@each_run
def test_an_image_is_named_by_its_digest_unless_this_machine_built_it(
    rendered: dict[str, list[Object]], run: str
) -> None:
    for some in pods_of(rendered[run]):
        for each in some.containers:
            digest = re.search("@sha256:[0-9a-f]{64}$", each["image"])
            assert (digest is None) is (run in LAPTOP)


@pytest.mark.parametrize("run", WITH_MLFLOW)
def test_mlflow_starts_as_in_compose(rendered: dict[str, list[Object]], run: str) -> None:
    own = ("--allowed-hosts", "--backend-store-uri")
    server, service = container(rendered[run], "mlflow"), COMPOSE["mlflow"]
    variables = {each["name"]: each["value"] for each in server["env"]}
    common = {name: value for name, value in service["environment"].items() if name.startswith("MLFLOW")}

    assert [each for each in server["args"] if not each.startswith(own)] == [
        each for each in service["command"][2:] if not each.startswith(own)
    ]
    assert common.items() <= variables.items()
    if run == "mlflow-postgres":
        [uri] = [each for each in service["command"] if each.startswith("--backend-store-uri")]
        assert variables["MLFLOW_BACKEND_STORE_URI"] == uri.partition("=")[2]
        assert "exec mlflow server" in server["command"][2]
    else:
        assert server["command"] == service["command"][:2] == ["mlflow", "server"]


def test_training_and_limits_start_as_in_compose(rendered: dict[str, list[Object]]) -> None:
    train, redis = container(rendered["base"], "train"), container(rendered["base"], "redis")

    assert train["command"] == ["sh", "-c", COMPOSE["train"]["command"].partition('"')[2].rstrip('"')]
    assert {each["name"]: each["value"] for each in train["env"]} == COMPOSE["train"]["environment"]
    assert redis["command"] == COMPOSE["redis"]["command"]


def test_postgres_starts_as_in_compose(rendered: dict[str, list[Object]]) -> None:
    variables = {
        each["name"]: each["value"] for each in container(rendered["mlflow-postgres"], "postgres")["env"]
    }

    assert COMPOSE["postgres"]["environment"].items() <= variables.items()


@each_run
def test_our_images_run_as_their_user(rendered: dict[str, list[Object]], run: str) -> None:
    [user] = re.findall(r"^USER (\d+):(\d+)$", DOCKERFILE, re.M)

    for some in pods_of(rendered[run]):
        context = some.spec["securityContext"]
        assert (str(context["runAsUser"]), str(context["runAsGroup"])) == user


def test_the_api_listens_where_its_image_says(rendered: dict[str, list[Object]]) -> None:
    [port] = re.findall(r"^    PORT=(\d+)$", DOCKERFILE, re.M)

    assert pods(rendered["base"], API).ports == {"http": int(port)}
    assert {"HOST", "PORT"}.isdisjoint(starting(rendered["base"], "ConfigMap", API)["data"])


@pytest.mark.parametrize("run", WITH_MLFLOW)
def test_the_pipeline_writes_into_folders_its_image_has(rendered: dict[str, list[Object]], run: str) -> None:
    [folders] = re.findall(r"for folder in (.*?); do mkdir -p /writable/app/", DOCKERFILE)

    for name in ("mlflow", "train"):
        paths = {each["mountPath"] for each in container(rendered[run], name)["volumeMounts"]}
        ours = {path.removeprefix("/app/") for path in paths if path.startswith("/app/")}
        assert ours <= set(folders.split())


# Together


@each_run
def test_the_quota_has_room_for_all_at_their_most(deployed: Callable[[str], list[Object]], run: str) -> None:
    assert too_small(deployed(run)) == []


@each_run
def test_no_container_is_larger_than_the_limit_allows(
    deployed: Callable[[str], list[Object]], run: str
) -> None:
    objects = deployed(run)
    [limit] = one(objects, "LimitRange", "mlops")["spec"]["limits"]

    for some in pods_of(objects):
        for each in some.containers:
            resources = each["resources"]
            assert resources["requests"]["memory"] == resources["limits"]["memory"]
            assert quantity(resources["limits"]["memory"]) <= quantity(limit["max"]["memory"])
            assert resources["limits"].keys() == {"memory"}


@each_run
def test_there_is_always_an_api(rendered: dict[str, list[Object]], run: str) -> None:
    deployment = one(rendered[run], "Deployment", API)["spec"]
    scaler = one(rendered[run], "HorizontalPodAutoscaler", API)["spec"]
    budget = one(rendered[run], "PodDisruptionBudget", API)["spec"]

    assert "replicas" not in deployment  # an apply would take back what the autoscaler has given
    assert deployment["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    assert scaler["minReplicas"] >= 2
    assert scaler["minReplicas"] - budget["maxUnavailable"] >= 1


@each_run
def test_limits_of_calls_are_shared_by_the_pods(rendered: dict[str, list[Object]], run: str) -> None:
    data = starting(rendered[run], "ConfigMap", API)["data"]

    assert data["RATE_LIMIT_STORAGE"].startswith("redis://")


@each_run
def test_a_change_of_the_configuration_is_a_rollout(
    deployed: Callable[[str], list[Object]], run: str
) -> None:
    names = [each["metadata"]["name"] for each in deployed(run) if each["kind"] == "ConfigMap"]

    assert all(re.search("-[a-z0-9]{10}$", name) for name in names)


def test_an_operator_of_prometheus_counts_each_pod_once() -> None:
    monitor = yaml.safe_load((K8S / "monitoring/servicemonitor-iris-api.yaml").read_text())["spec"]
    service = yaml.safe_load((K8S / "service.yaml").read_text())
    [nodeport] = [each for each in by_hand() if each["kind"] == "Service"]
    wanted = monitor["selector"]["matchLabels"].items()

    assert wanted <= service["metadata"]["labels"].items()
    assert not wanted <= nodeport["metadata"]["labels"].items()
    assert monitor["endpoints"][0]["port"] in {port["name"] for port in service["spec"]["ports"]}
    assert monitor["endpoints"][0]["path"] in {endpoint.path for endpoint in ENDPOINTS}


def objects_of_files() -> Iterator[tuple[str, list[Object]]]:
    for folder in (K8S, K8S / "monitoring", *(DEPLOY / name for name in OVERLAYS)):
        for file in folder.glob("*.yaml"):
            yield file.name, list(yaml.safe_load_all(file.read_text()))


def test_a_file_holds_one_object() -> None:
    assert [name for name, objects in objects_of_files() if len(objects) != 1] == []


def test_every_file_is_in_a_table_of_contents_or_applied_by_hand() -> None:
    alone = {"networkpolicy-nodeport.yaml", "service-nodeport.yaml", "servicemonitor-iris-api.yaml"}

    for folder in (K8S, K8S / "monitoring", *(DEPLOY / name for name in OVERLAYS)):
        contents = yaml.safe_load((folder / "kustomization.yaml").read_text())
        named = {*contents.get("resources", []), *(each.get("path") for each in contents.get("patches", []))}
        files = {file.name for file in folder.glob("*.yaml")} - {"kustomization.yaml"} - alone
        assert files == {name for name in named if name and "/" not in name}

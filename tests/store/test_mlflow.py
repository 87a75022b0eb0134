"""Publishing to a real MLflow server, and serving from it."""

import http.server
import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pydantic import SecretStr

from src.bundle import bundle as bundles
from src.bundle.bundle import Bundle
from src.config import Settings
from src.errors import BundleError, ConfigError, RegistryError
from src.promotion.promote import promote
from src.promotion.publish import publish
from src.promotion.rollback import rollback
from src.promotion.service import open_store
from src.store.mlflow import Server
from src.store.sources import Source, source_for
from src.tracking.client import connected
from src.tracking.runs import start_run
from tests.conftest import REPOSITORY
from tests.stores import Trained, labels_of

pytestmark = pytest.mark.xdist_group("mlflow_server")  # one server for all of them


@pytest.fixture
def settings(mlflow_server: str) -> Settings:
    """The server, with a model of this test's own."""
    return Settings(mlflow_tracking_uri=mlflow_server, model_name=f"Model{uuid4().hex}Classifier")


@pytest.fixture
def train(settings: Settings, trained: Trained, candidate: Callable[..., Path]) -> Callable[[], Path]:
    """Register one more version, and return the folder of its bundle."""

    def run() -> Path:
        with start_run(settings, experiment="iris", run_name=None, tags={}) as run:
            version = run.register(trained.pipeline, settings.model_name, trained.rows)
        return candidate(version, name=settings.model_name, mlflow_run_id=run.run_id)

    return run


def test_a_published_model_is_served_from_the_server(
    settings: Settings,
    train: Callable[[], Path],
    trained: Trained,
    folder: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    source = source_for(settings)
    nothing_registered = source.current()
    candidate = train()
    not_published = source.current()

    published = publish(candidate, settings)

    bundle = source.load()
    assert (nothing_registered, not_published) == (None, None)
    assert source.current() == bundle.digest == published.digest
    assert labels_of(bundle, trained.rows) == list(trained.pipeline.predict(trained.rows))
    assert source_for(Settings()).load() == published
    assert sorted(path.name for path in folder.iterdir()) == ["build", "models"]
    assert capfd.readouterr() == ("", "")


def test_a_model_without_a_champion_cannot_be_loaded(settings: Settings) -> None:
    with pytest.raises(RegistryError, match=f": {settings.model_name} has no alias champion"):
        source_for(settings).load()


def test_versions_are_promoted_and_rolled_back(settings: Settings, train: Callable[[], Path]) -> None:
    first, second, third = [publish(train(), settings) for _ in range(3)]

    steps: list[Bundle] = [rollback(settings), rollback(settings), promote("3", settings), rollback(settings)]

    assert [step.manifest.version for step in steps] == ["2", "1", "3", "1"]
    assert source_for(settings).load() == source_for(Settings()).load() == first
    with connected(settings) as client:
        tags = [client.get_model_version(settings.model_name, version).tags for version in "123"]
    assert [tag["bundle_digest"] for tag in tags] == [first.digest, second.digest, third.digest]
    assert [tag.get("previous_champion") for tag in tags] == [None, "1", "1"]
    with pytest.raises(RegistryError, match=f"no champion of {settings.model_name} before this one"):
        rollback(settings)


def test_rollbacks_go_back_through_what_was_in_service(settings: Settings, train: Callable[[], Path]) -> None:
    for _ in range(3):
        publish(train(), settings)
    promote("2", settings)

    versions = [rollback(settings).manifest.version for _ in range(3)]

    assert versions == ["3", "2", "1"]
    with connected(settings) as client:
        tag = client.get_registered_model(settings.model_name).tags["champion_history"]
    assert json.loads(tag) == {"before": ["1", "2"], "after": ["1"]}
    with pytest.raises(RegistryError, match=f"no champion of {settings.model_name} before this one"):
        rollback(settings)


def test_a_version_says_who_promoted_it_and_why(
    settings: Settings, train: Callable[[], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("src.promotion.step.getpass.getuser", lambda: "ada")
    monkeypatch.setattr("src.promotion.step.socket.gethostname", lambda: "laptop")
    publish(train(), settings)
    publish(train(), settings, "more data")
    promote("1", settings, "2 is slow")

    with open_store(settings) as store:
        steps = {step.version: step for step in store.steps()}

    assert [*steps] == ["2", "1"] or len({step.time for step in steps.values()}) == 1
    assert steps["1"][1:] == ("promote", "2", "1", ("ada", "laptop", "2 is slow"))
    assert steps["2"][1:] == ("publish", "1", "2", ("ada", "laptop", "more data"))
    for of_the_ledger in (store.verify, store.every_step):
        with pytest.raises(ConfigError, match="keeps the last step of each version alone, and no ledger"):
            of_the_ledger()


def set_alias(settings: Settings, version: str) -> None:
    with connected(settings) as client:
        client.set_registered_model_alias(settings.model_name, "champion", version)


def test_a_rollback_that_was_killed_is_ended_and_goes_no_further(
    settings: Settings, train: Callable[[], Path]
) -> None:
    for _ in range(3):
        publish(train(), settings)
    shutil.copytree("models", "before")
    rollback(settings)

    set_alias(settings, "3")  # killed between the history and the alias
    put_back("before")
    first = rollback(settings)
    put_back("before")  # killed between the alias and models/
    second = rollback(settings)
    served = source_for(Settings()).load()

    assert [one.manifest.version for one in (first, second, served)] == ["2", "2", "2"]
    assert rollback(settings).manifest.version == "1"


def put_back(folder: str) -> None:
    shutil.rmtree("models")
    shutil.copytree(folder, "models")


def test_a_champion_that_was_set_in_mlflow_is_rolled_back_from(
    settings: Settings, train: Callable[[], Path]
) -> None:
    for _ in range(3):
        publish(train(), settings)
    rollback(settings)
    rollback(settings)
    set_alias(settings, "3")

    assert rollback(settings).manifest.version == "1"


def test_the_tags_of_earlier_versions_are_a_history(settings: Settings, train: Callable[[], Path]) -> None:
    for _ in range(3):
        publish(train(), settings)
    with connected(settings) as client:
        client.delete_registered_model_tag(settings.model_name, "champion_history")

    assert [rollback(settings).manifest.version for _ in range(2)] == ["2", "1"]

    with connected(settings) as client:
        client.delete_registered_model_tag(settings.model_name, "champion_history")
        client.set_model_version_tag(settings.model_name, "1", "previous_champion", "2")  # as in a circle
    assert rollback(settings).manifest.version == "2"
    with pytest.raises(RegistryError, match="no champion of"):
        rollback(settings)


def test_a_damaged_history_is_one_line(settings: Settings, train: Callable[[], Path]) -> None:
    publish(train(), settings)
    with connected(settings) as client:
        client.set_registered_model_tag(settings.model_name, "champion_history", "1, 2")

    with pytest.raises(RegistryError, match="the tag champion_history of .* is not a history$"):
        rollback(settings)


def test_a_deleted_experiment_is_restored_on_a_server(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    name = f"deleted {uuid4().hex}"
    with start_run(settings, experiment=name, run_name=None, tags={}) as run:
        pass
    with connected(settings) as client:
        client.delete_experiment(run.experiment_id)

    with start_run(settings, experiment=name, run_name=None, tags={}) as again:
        pass

    assert again.experiment_id == run.experiment_id
    assert caplog.messages == [f"experiment {name} was deleted in MLflow: it is restored"]


@pytest.mark.parametrize("version", ["9", "x"])
def test_an_unknown_version_is_an_error_that_names_the_published_ones(
    version: str, settings: Settings, train: Callable[[], Path]
) -> None:
    publish(train(), settings)
    train()

    with pytest.raises(RegistryError, match=f"no version {version} of {settings.model_name}; there are: 1$"):
        promote(version, settings)
    with pytest.raises(BundleError, match="version 2 has no published bundle"):
        promote("2", settings)


def test_a_version_measured_again_is_published_anew(
    settings: Settings, train: Callable[[], Path], candidate: Callable[..., Path]
) -> None:
    first = publish(train(), settings)
    changed = {"name": settings.model_name, "mlflow_run_id": first.manifest.mlflow_run_id, "n_samples": 99}

    second = publish(candidate("1", **changed), settings)

    assert second.digest != first.digest
    assert source_for(settings).load() == second
    with pytest.raises(RegistryError, match="there was no champion of"):
        rollback(settings)


def test_a_version_of_another_record_is_not_published(
    settings: Settings, train: Callable[[], Path], candidate: Callable[..., Path]
) -> None:
    published = publish(train(), settings)

    with pytest.raises(RegistryError, match=f"{settings.model_name} version 1 is not from run 000"):
        publish(candidate("1", name=settings.model_name), settings)

    assert source_for(settings).load() == source_for(Settings()).load() == published


def test_a_failed_upload_leaves_the_model_in_service(
    settings: Settings, train: Callable[[], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    published = publish(train(), settings)
    candidate = train()

    def fail(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(RegistryError, match="No space left on device"):
        patch.setattr("mlflow.MlflowClient.log_artifacts", fail)
        publish(candidate, settings)

    assert source_for(settings).load() == source_for(Settings()).load() == published


def test_a_champion_that_was_replaced_on_the_server_is_refused(
    settings: Settings, train: Callable[[], Path]
) -> None:
    published = publish(train(), settings)
    Path("model.onnx").write_bytes(b"damaged")
    with connected(settings) as client:
        run_id = str(published.manifest.mlflow_run_id)
        client.log_artifact(run_id, "model.onnx", f"bundle/{published.digest[:12]}")

    with pytest.raises(BundleError, match="model.onnx: SHA-256 is"):
        source_for(settings).load()

    with connected(settings) as client:
        client.set_model_version_tag(settings.model_name, "1", "bundle_digest", "0" * 64)
    with pytest.raises(BundleError, match="/artifacts: no bundle/000000000000/metadata.json"):
        source_for(settings).load()


def test_a_champion_that_was_never_published_is_refused(
    settings: Settings, train: Callable[[], Path]
) -> None:
    train()
    with connected(settings) as client:
        client.set_registered_model_alias(settings.model_name, "champion", "1")

    with pytest.raises(BundleError, match="version 1 has no published bundle \\(tag bundle_digest\\)"):
        source_for(settings).current()


class Predictions(dict[str, tuple[int, bytes]]):
    """What a scripted server answers to a path; and what it was asked with."""

    url = ""
    authorization: str | None = None

    def source(self, **settings: Any) -> Source:
        return source_for(
            Settings(**{"mlflow_tracking_uri": self.url, "model_name": "IrisClassifier", **settings})
        )


@pytest.fixture
def answers() -> Iterator[Predictions]:
    """A server that answers as it is told: to see what a real one seldom does."""
    scripted = Predictions()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            scripted.authorization = self.headers["Authorization"]
            status, content = scripted.get(self.path.partition("?")[0], (404, b"{}"))
            self.send_response(status)
            self.send_header("Content-Length", str(len(content) + (status == 206)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *arguments: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    scripted.url = f"http://127.0.0.1:{server.server_port}"
    yield scripted
    server.shutdown()
    server.server_close()


ALIAS = "/api/2.0/mlflow/registered-models/alias"
SEARCH = "/api/2.0/mlflow/registered-models/search"
RUN = "/api/2.0/mlflow/runs/get"


def version_with(digest: str) -> bytes:
    tags = [{"key": "other", "value": ""}, {"key": "bundle_digest", "value": digest}]
    version = {"name": "IrisClassifier", "version": "7", "run_id": "r", "tags": tags}
    return json.dumps({"model_version": version}).encode()


def run_at(uri: str) -> bytes:
    return json.dumps({"run": {"info": {"artifact_uri": uri}}}).encode()


def models(*names: str, page: str = "", alias: str = "champion") -> tuple[int, bytes]:
    listed = [{"name": name, "aliases": [{"alias": alias, "version": "7"}]} for name in names]
    return 200, json.dumps({"registered_models": listed, "next_page_token": page}).encode()


def test_without_a_name_the_only_champion_is_followed_for_good(
    answers: Predictions, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    source = answers.source(model_name=None)
    answers[SEARCH] = 200, b"{}"
    assert source.current() is None
    answers[SEARCH] = models("Other", alias="challenger")
    assert source.current() is None
    answers[SEARCH] = models("IrisClassifier")
    answers[ALIAS] = 200, version_with("0" * 64)
    assert source.current() == "0" * 64
    answers[SEARCH] = models("IrisClassifier", "Newer")

    assert source.current() == "0" * 64
    assert source.description.endswith(", IrisClassifier@champion")
    assert caplog.messages == [
        "MODEL_NAME is not set: following IrisClassifier, the only model with a champion"
    ]


def test_of_several_champions_the_setting_decides(answers: Predictions) -> None:
    answers[SEARCH] = models("Churn", "Iris")

    with pytest.raises(RegistryError, match="Churn, Iris have a champion each; set MODEL_NAME to the one"):
        answers.source(model_name=None).current()


def test_a_list_of_models_without_an_end_is_not_read_to_it(answers: Predictions) -> None:
    answers[SEARCH] = models(page="more")

    assert answers.source(model_name=None).current() is None


@pytest.mark.parametrize(
    "content",
    [b'{"registered_models": {}}', b'{"registered_models": [{"name": 1}]}', b'{"next_page_token": 7}'],
)
def test_a_list_of_models_that_makes_no_sense_is_one_line(answers: Predictions, content: bytes) -> None:
    answers[SEARCH] = 200, content

    with pytest.raises(RegistryError, match="its answer is not a list of models"):
        answers.source(model_name=None).current()


def test_the_real_server_lists_its_champions(settings: Settings, train: Callable[[], Path]) -> None:
    server = Server(settings)
    before = server.with_champion()
    folder = train()
    assert server.with_champion() == before
    publish(folder, settings)

    assert server.with_champion() == sorted([*before, str(settings.model_name)])


def test_commands_take_the_name_that_params_yaml_gives(
    settings: Settings, train: Callable[[], Path], folder: Path
) -> None:
    first, second = [publish(train(), settings) for _ in range(2)]
    name = str(settings.model_name).removesuffix("Classifier")
    params = (REPOSITORY / "params.yaml").read_text().replace("name: iris", f"name: {name.lower()}")
    (folder / "params.yaml").write_text(params)
    unset = settings.model_copy(update={"model_name": None})

    assert rollback(unset) == first
    assert promote("2", unset) == second


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({"mlflow_tracking_token": SecretStr("secret")}, "Bearer secret"),
        (
            {"mlflow_tracking_username": "me", "mlflow_tracking_password": SecretStr("secret")},
            "Basic bWU6c2VjcmV0",
        ),
    ],
)
def test_a_netrc_takes_no_credentials_place(
    given: dict[str, Any], sent: str, answers: Predictions, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / ".netrc").write_text("machine 127.0.0.1 login other password other\n")
    (folder / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    settings = Settings(mlflow_tracking_uri=answers.url, **given)
    before = dict(os.environ)

    with pytest.raises(RegistryError):
        source_for(settings).current()
    ours = answers.authorization
    with pytest.raises(RegistryError), connected(settings) as client:
        client.get_run("r")
    mlflows = answers.authorization

    assert (ours, mlflows) == (sent, sent)
    assert {name: os.environ.get(name) for name in ("NETRC", "MLFLOW_TRACKING_TOKEN")} == {
        name: before.get(name) for name in ("NETRC", "MLFLOW_TRACKING_TOKEN")
    }


def test_a_proxy_of_the_environment_is_used_with_a_token(
    answers: Predictions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", answers.url)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    answers[f"http://mlflow.example{ALIAS}"] = (200, version_with("0" * 64))

    token = SecretStr("secret")
    source = answers.source(mlflow_tracking_uri="http://mlflow.example", mlflow_tracking_token=token)

    assert source.current() == "0" * 64
    assert answers.authorization == "Bearer secret"


def test_the_credentials_are_sent_and_never_shown(answers: Predictions) -> None:
    secret = SecretStr("secret")
    seen = []
    for given in (
        {"mlflow_tracking_username": "me", "mlflow_tracking_password": secret},
        {"mlflow_tracking_token": secret},
        {"mlflow_tracking_username": "me"},
    ):
        with pytest.raises(RegistryError) as failed:
            answers.source(**given).current()
        seen.append((answers.authorization, "secret" in str(failed.value)))
    answers.url = answers.url.replace("//", "//me:secret@")
    with pytest.raises(RegistryError) as failed:
        answers.source().current()

    basic = "Basic bWU6c2VjcmV0"
    assert seen == [(basic, False), ("Bearer secret", False), (None, False)]
    assert (answers.authorization, "secret" in str(failed.value)) == (basic, False)


@pytest.mark.parametrize(
    ("status", "content", "reason"),
    [
        (403, b"Invalid Host header", "403, an answer that is not MLflow's"),
        (404, b"<html>", "404, an answer that is not MLflow's"),
        (401, b'{"error_code": "UNAUTHENTICATED"}', "401, UNAUTHENTICATED"),
        (400, b'{"error_code": "INVALID_PARAMETER_VALUE", "message": "x"}', "400, INVALID_PARAMETER_VALUE"),
        (400, json.dumps({"error_code": "x\n" * 99_999}).encode(), "400, " + "x\\n" * 30 + "…"),
        (500, b"[" * 10_000, "500, an answer that is not MLflow's"),
        (200, b"[]", "200, an answer that is not MLflow's"),
        (200, b'{"a": 1}', "its answer is not a model version"),
        (200, b'{"model_version": {"name": 7}}', "its answer is not a model version"),
        (206, b"{}", "broke off (ProtocolError)"),
    ],
)
def test_an_answer_that_makes_no_sense_is_one_line(
    status: int, content: bytes, reason: str, answers: Predictions
) -> None:
    answers[ALIAS] = (status, content)

    with pytest.raises(RegistryError) as failed:
        answers.source().current()

    assert str(failed.value) == f"{answers.url}: {reason}"


def test_an_endless_answer_is_cut_off(answers: Predictions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("src.store.mlflow.MAX_ANSWER", 10)
    answers[ALIAS] = (200, version_with("0" * 64))

    with pytest.raises(BundleError, match="an answer is larger than 10 bytes"):
        answers.source().current()


@pytest.mark.parametrize("digest", ["", "../..", "A" * 64])
def test_a_tag_that_is_no_digest_is_refused(digest: str, answers: Predictions) -> None:
    answers[ALIAS] = (200, version_with(digest))

    with pytest.raises(BundleError, match="IrisClassifier version 7 has no published bundle"):
        answers.source().current()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (run_at("s3://bucket/x"), "run r has its artifacts at s3://bucket/x; serving reads them through the"),
        (run_at("mlflow-artifacts://other:1/x"), "has its artifacts at mlflow-artifacts://other:1/x"),
        (run_at("file:///etc"), "has its artifacts at file:///etc"),
        (b'{"run": []}', "no run 'r'"),
        (b'{"error_code": "RESOURCE_DOES_NOT_EXIST"}', "no run 'r'"),
    ],
)
def test_artifacts_elsewhere_are_refused(content: bytes, reason: str, answers: Predictions) -> None:
    answers[ALIAS] = (200, version_with("0" * 64))
    answers[RUN] = (200, content)

    with pytest.raises(RegistryError, match=reason):
        answers.source().load()


def test_an_artifact_that_cannot_be_read_is_an_error(answers: Predictions) -> None:
    answers[ALIAS] = (200, version_with("0" * 64))
    answers[RUN] = (200, run_at("mlflow-artifacts:/1/r"))
    artifact = "/api/2.0/mlflow-artifacts/artifacts/1/r/bundle/000000000000/metadata.json"
    answers[artifact] = (503, b"")

    with pytest.raises(RegistryError, match="503 for artifact 1/r/bundle/000000000000/metadata.json"):
        answers.source().load()


def test_artifacts_in_a_bucket_are_read_from_there(
    answers: Predictions, bucket: Any, candidate: Callable[..., Path]
) -> None:
    folder = candidate("7")
    bundle = bundles.load(bundles.folder_fetch(folder))
    for path in folder.iterdir():
        name = f"1/r/artifacts/bundle/{bundle.digest[:12]}/{path.name}"
        bucket.blob(name).upload_from_string(path.read_bytes())
    answers[ALIAS] = (200, version_with(bundle.digest))
    answers[RUN] = (200, run_at("gs://models/1/r/artifacts"))

    assert answers.source().load() == bundle


def test_a_server_that_cannot_be_reached_is_one_line() -> None:
    with pytest.raises(RegistryError) as failed:
        source_for(Settings(mlflow_tracking_uri="http://me:secret@127.0.0.1:9")).current()

    assert str(failed.value) == "http://127.0.0.1:9: cannot be reached (ConnectionError)"


def version_json(**changes: Any) -> bytes:
    version = {"name": "IrisClassifier", "version": "7", "run_id": "r", "tags": [], **changes}
    return json.dumps({"model_version": version}).encode()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'{"model_version": {}, "model_version": {}}', "200, an answer that is not MLflow's"),
        (b'{"a": 1' + b"0" * 5_000 + b"}", "200, an answer that is not MLflow's"),
        (b'{"a": NaN}', "200, an answer that is not MLflow's"),
        (b'{"a": "\\ud800"}', "200, an answer that is not MLflow's"),
        (version_json(version=10**400), "200, an answer that is not MLflow's"),
        (version_json(version=7), "its answer is not a model version"),
        (version_json(version="x" * 100_000), "its answer is not a model version"),
        (version_json(version="7\n8"), "its answer is not a model version"),
        (version_json(name=""), "its answer is not a model version"),
        (version_json(run_id="x" * 100_000), "its answer is not a model version"),
        (version_json(tags={}), "its answer is not a model version"),
        (json.dumps({"model_version": None}).encode(), "its answer is not a model version"),
    ],
)
def test_an_answer_with_weird_values_is_one_short_line(
    content: bytes, reason: str, answers: Predictions
) -> None:
    answers[ALIAS] = (200, content)

    with pytest.raises(RegistryError) as failed:
        answers.source().current()

    assert str(failed.value) == f"{answers.url}: {reason}"


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        (7, "no run 'r'"),
        ({"a": 1}, "no run 'r'"),
        ("x" * 100_000, "no run 'r'"),
        ("http://[", "run r has its artifacts at no URI"),
        ("gs:///", "run r has its artifacts at gs:///; serving"),
    ],
)
def test_artifacts_at_no_place_are_one_line(uri: Any, reason: str, answers: Predictions) -> None:
    answers[ALIAS] = (200, version_with("0" * 64))
    answers[RUN] = (200, run_at(uri))

    with pytest.raises(RegistryError) as failed:
        answers.source().load()

    assert reason in str(failed.value) and len(str(failed.value)) < 300


def test_an_answer_that_drips_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("src.store.mlflow.TOTAL_SECONDS", 0.3)
    stopped = threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "1000000")
            self.end_headers()
            while not stopped.wait(0.02):
                try:
                    self.wfile.write(b" ")
                except OSError:  # the client went away
                    return

        def log_message(self, *arguments: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    try:
        with pytest.raises(RegistryError, match="gave no whole answer in 0.3 s"):
            source_for(Settings(mlflow_tracking_uri=url)).current()
    finally:
        stopped.set()
        server.shutdown()
        server.server_close()

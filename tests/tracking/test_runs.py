import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import mlflow
import pytest

from src.config import Settings
from src.errors import ConfigError, RegistryError
from src.export.families.registry import build
from src.export.pipeline import build_pipeline
from src.promotion.publish import publish
from src.promotion.rollback import rollback
from src.schema.columns import Schema
from src.store.location import tracking_uri
from src.tracking.client import connected
from src.tracking.runs import Run, resume_run, start_run
from tests.families import Case, every_case, example
from tests.stores import Trained


def recorded(settings: Settings, name: str = "first") -> Run:
    with start_run(settings, experiment="iris", run_name=name, tags={"who": "me"}) as run:
        run.log(params={"n_estimators": 200, "max_depth": None}, metrics={"accuracy": 0.9})
    return run


def status(settings: Settings, run: Run) -> str:
    with connected(settings) as client:
        return str(client.get_run(run.run_id).info.status)


def test_a_run_is_recorded_in_mlruns_and_nowhere_else(
    folder: Path, trained: Trained, capfd: pytest.CaptureFixture[str]
) -> None:
    settings = Settings()

    with start_run(settings, experiment="iris", run_name="first", tags={"who": "me"}) as run:
        run.log(
            params={"n_estimators": 200, "max_depth": None}, metrics={"accuracy": 0.9}, tags={"data": "iris"}
        )
        run.log_files("plots", {"confusion.png": b"a picture"})
        version = run.register(trained.pipeline, "IrisClassifier", trained.rows)

    with connected(settings) as client:
        known = client.get_run(run.run_id)
        [model] = client.search_model_versions("name='IrisClassifier'")
    assert known.info.status == "FINISHED"
    assert known.info.run_name == "first"
    assert known.data.params == {"n_estimators": "200", "max_depth": "None"}
    assert known.data.metrics == {"accuracy": 0.9}
    assert (known.data.tags["who"], known.data.tags["data"]) == ("me", "iris")
    assert (str(model.version), model.run_id, version) == ("1", run.run_id, "1")
    [logged] = known.outputs.model_outputs
    assert model.source == f"{(folder / 'mlruns').as_uri()}/artifacts/models/{logged.model_id}/artifacts"
    assert Path(f"mlruns/artifacts/{run.run_id}/artifacts/plots/confusion.png").is_file()
    assert sorted(path.name for path in folder.iterdir()) == ["mlruns"]
    assert sorted(path.name for path in Path("mlruns").iterdir()) == ["artifacts", "mlflow.db"]
    assert capfd.readouterr() == ("", "")


@pytest.mark.usefixtures("empty_record")
@every_case
def test_a_registered_model_of_a_family_answers_as_the_pipeline_does(
    case: Case, schema: Schema, trained: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings()
    target = trained.pipeline.predict(trained.rows)
    if case.task == "regression":
        target = trained.rows.iloc[:, 0].to_numpy()
    pipeline = build_pipeline(schema, build(example(case.family), case.task, 0)).fit(trained.rows, target)
    case.family.use_one_thread(pipeline[-1])
    with start_run(settings, experiment="iris", run_name=None, tags={}) as run:
        version = run.register(pipeline, "IrisClassifier", trained.rows)
    monkeypatch.setattr("mlflow.tracking._tracking_service.utils._tracking_uri", tracking_uri(settings))

    model = mlflow.pyfunc.load_model(f"models:/IrisClassifier/{version}")

    assert list(model.predict(trained.rows)) == list(pipeline.predict(trained.rows))
    assert model.metadata.flavors["sklearn"]["serialization_format"] == "skops"


@pytest.mark.usefixtures("empty_record")
def test_the_registered_model_answers_as_the_pipeline_does(
    candidate: Callable[..., Path], trained: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings()
    with start_run(settings, experiment="iris", run_name=None, tags={}) as run:
        version = run.register(trained.pipeline, "IrisClassifier", trained.rows)
    publish(candidate(version, mlflow_run_id=run.run_id), settings)
    monkeypatch.setattr("mlflow.tracking._tracking_service.utils._tracking_uri", tracking_uri(settings))

    model = mlflow.pyfunc.load_model("models:/IrisClassifier@champion")

    assert list(model.predict(trained.rows)) == list(trained.pipeline.predict(trained.rows))
    assert model.metadata.run_id == run.run_id
    assert model.metadata.signature.inputs.input_names() == list(trained.rows.columns)
    assert len(model.input_example) == 5


@pytest.mark.usefixtures("empty_record")
def test_the_alias_follows_the_champion_back(
    candidate: Callable[..., Path], trained: Trained, caplog: pytest.LogCaptureFixture
) -> None:
    settings = Settings()
    for _ in range(2):
        with start_run(settings, experiment="iris", run_name=None, tags={}) as run:
            version = run.register(trained.pipeline, "IrisClassifier", trained.rows)
        publish(candidate(version, mlflow_run_id=run.run_id), settings)

    rollback(settings)

    with connected(settings) as client:
        champion = client.get_model_version_by_alias("IrisClassifier", "champion")
    assert str(champion.version) == "1"
    assert caplog.messages == []


@pytest.mark.usefixtures("empty_record")
def test_a_version_of_another_record_keeps_the_alias_where_it_is(
    candidate: Callable[..., Path], trained: Trained, caplog: pytest.LogCaptureFixture
) -> None:
    with start_run(Settings(), experiment="iris", run_name=None, tags={}) as run:
        version = run.register(trained.pipeline, "IrisClassifier", trained.rows)

    publish(candidate(version, mlflow_run_id="f" * 32), Settings())

    assert caplog.messages == [
        "the MLflow record has no IrisClassifier version 1: its alias champion stays where it was"
    ]


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt])
@pytest.mark.usefixtures("empty_record")
def test_a_run_that_breaks_off_has_failed(failure: type[BaseException]) -> None:
    with pytest.raises(failure), start_run(Settings(), experiment="iris", run_name=None, tags={}) as run:
        raise failure

    assert status(Settings(), run) == "FAILED"


@pytest.mark.usefixtures("empty_record")
def test_a_run_is_resumed(caplog: pytest.LogCaptureFixture) -> None:
    run = recorded(Settings())

    with resume_run(Settings(), run.run_id) as resumed:
        assert resumed is not None
        resumed.log(metrics={"f1_score": 0.8})
        during = status(Settings(), run)

    with connected(Settings()) as client:
        known = client.get_run(run.run_id)
    assert during == "RUNNING"
    assert known.info.status == "FINISHED"
    assert known.data.metrics == {"accuracy": 0.9, "f1_score": 0.8}
    assert caplog.messages == []


@pytest.mark.usefixtures("empty_record")
def test_a_deleted_experiment_is_restored(caplog: pytest.LogCaptureFixture) -> None:
    before = recorded(Settings())
    with connected(Settings()) as client:
        client.delete_experiment(before.experiment_id)

    after = recorded(Settings(), "second")

    assert after.experiment_id == before.experiment_id
    assert caplog.messages == ["experiment iris was deleted in MLflow: it is restored"]


@pytest.mark.parametrize("what", ["run", "experiment"])
@pytest.mark.usefixtures("empty_record")
def test_a_deleted_run_is_restored_to_be_resumed(what: str, caplog: pytest.LogCaptureFixture) -> None:
    run = recorded(Settings())
    with connected(Settings()) as client:
        if what == "run":
            client.delete_run(run.run_id)
        else:
            client.delete_experiment(run.experiment_id)

    with resume_run(Settings(), run.run_id) as resumed:
        assert resumed is not None
        resumed.log(metrics={"f1_score": 0.8})

    with connected(Settings()) as client:
        known = client.get_run(run.run_id)
    assert (known.info.lifecycle_stage, known.data.metrics["f1_score"]) == ("active", 0.8)
    assert caplog.messages == [
        (
            f"run {run.run_id} was deleted in MLflow: it is restored, because the candidate is its model"
            if what == "run"
            else "experiment iris was deleted in MLflow: it is restored"
        )
    ]


def registered(trained: Trained, name: str = "IrisClassifier") -> tuple[Run, str]:
    with start_run(Settings(), experiment="iris", run_name=None, tags={}) as run:
        version = run.register(trained.pipeline, name, trained.rows)
    return run, version


@pytest.mark.parametrize("kept", ["store", "ledger", "models", "bundle", "candidate"])
def test_a_number_is_not_given_again_when_the_record_was_lost(
    kept: str,
    candidate: Callable[..., Path],
    trained: Trained,
    record_template: Path,
) -> None:
    bundle = publish(candidate("3"), Settings())
    kept_files = Path(f"mlruns/bundles/3-{bundle.digest[:12]}")
    shutil.copytree(kept_files, "build/model")
    Path("build/model/metadata.json").rename("build/model/training.json")
    for name, place in (("models", "models"), ("bundle", "build/bundle"), ("candidate", "build/model")):
        if kept != name:
            shutil.rmtree(place)
    if kept != "store":
        shutil.rmtree("mlruns/bundles")
    if kept not in ("store", "ledger"):
        shutil.rmtree("mlruns")
        Path("mlruns").mkdir()
    shutil.copy(record_template, "mlruns")

    versions = [registered(trained)[1] for _ in range(2)]
    other = registered(trained, "OtherClassifier")[1] if kept != "ledger" else "1"

    assert versions == ["4", "5"]
    assert other == "1"
    with connected(Settings()) as client:
        known = client.search_model_versions("name='IrisClassifier'")
    assert sorted(version.version for version in known) == [4, 5]


@pytest.mark.usefixtures("empty_record")
def test_a_number_is_not_given_again_when_the_model_was_deleted_in_mlflow(
    candidate: Callable[..., Path], trained: Trained
) -> None:
    run, version = registered(trained)
    publish(candidate(version, mlflow_run_id=run.run_id), Settings())
    with connected(Settings()) as client:
        client.delete_registered_model("IrisClassifier")

    assert registered(trained)[1] == "2"


@pytest.mark.usefixtures("empty_record")
def test_a_number_out_of_reach_is_an_error_that_says_what_to_do(
    candidate: Callable[..., Path], trained: Trained
) -> None:
    publish(candidate("20260102"), Settings())

    with pytest.raises(
        RegistryError, match="IrisClassifier version 20260102, and the record goes up to 1: b"
    ):
        registered(trained)


@pytest.mark.usefixtures("empty_record")
def test_two_models_of_one_number_are_not_kept(candidate: Callable[..., Path]) -> None:
    publish(candidate("1"), Settings())

    with pytest.raises(RegistryError) as refused:
        publish(candidate("1", mlflow_run_id="f" * 32), Settings())

    assert str(refused.value) == (
        f"model store mlruns: version 1 is the model of run {'0' * 32}, and this is the one of run"
        f" {'f' * 32}; train it here, for a number of its own"
    )
    assert len(list(Path("mlruns/bundles").iterdir())) == 1


AT_ONCE = """
import sys
from src import logs
from src.config import load_store_settings
from src.errors import exit_on_error
from src.tracking.runs import start_run

def main():
    with start_run(load_store_settings(), experiment="iris", run_name=None, tags={}) as run:
        run.log(params={"depth": 1})
        for number in range(5):
            run.log(metrics={"accuracy": number})

logs.setup()
exit_on_error(main)
"""


def test_trainings_at_once_begin_a_record_together(folder: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    running = [
        subprocess.Popen([sys.executable, "-c", AT_ONCE], env=environment, stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    try:
        said = [process.communicate()[1] for process in running]
    finally:
        for process in running:
            process.kill()
            process.wait()

    assert {line for text in said for line in text.splitlines()} <= {
        f"INFO    waiting for another command, which holds {folder}/mlruns"
    }
    with connected(Settings()) as client:
        experiment = client.get_experiment_by_name("iris")
        runs = client.search_runs([experiment.experiment_id])
    assert [run.info.status for run in runs] == ["FINISHED"] * 4
    assert [run.data.metrics for run in runs] == [{"accuracy": 4.0}] * 4


@pytest.mark.parametrize("run_id", ["f" * 32, "no id", None])
@pytest.mark.usefixtures("empty_record")
def test_a_run_the_record_does_not_know_is_none_and_a_warning(
    run_id: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    recorded(Settings())

    with resume_run(Settings(), run_id) as run:
        assert run is None

    assert caplog.messages == [f"the record has no run {run_id}: nothing is added to it"]


def test_a_moved_folder_records_where_it_is_now(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    recorded(Settings(mlflow_tracking_uri="old"))
    (folder / "old").rename(folder / "new")

    with start_run(Settings(mlflow_tracking_uri="new"), experiment="iris", run_name=None, tags={}) as run:
        run.log_files("plots", {"plot.png": b"a picture"})

    assert (folder / f"new/artifacts/{run.run_id}/artifacts/plots/plot.png").is_file()
    assert not (folder / "old").exists()
    was = f"file://{folder}/old/artifacts"
    assert caplog.messages == [
        f"experiment iris has its artifacts in {was}, it is now called 'iris before 1'"
    ]


def test_the_place_may_have_a_name_with_spaces(folder: Path) -> None:
    settings = Settings(mlflow_tracking_uri="my models/mlruns")

    run = recorded(settings)

    assert status(settings, run) == "FINISHED"
    assert sorted(path.name for path in folder.iterdir()) == ["my models"]


def test_a_database_is_a_record_with_its_artifacts_in_mlruns(folder: Path) -> None:
    settings = Settings(mlflow_tracking_uri="sqlite:///my.db")

    with start_run(settings, experiment="iris", run_name=None, tags={}) as run:
        run.log_files("plots", {"plot.png": b"a picture"})

    assert (folder / "my.db").is_file()
    assert (folder / f"mlruns/artifacts/{run.run_id}/artifacts/plots/plot.png").is_file()


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("http://me:secret@127.0.0.1:9", "MLflow at http://127.0.0.1:9: cannot be reached"),
        ("sqlite:////dev/null/my.db", "MLflow at sqlite:////dev/null/my.db: .*File exists"),
        ("sqlite:////dev", "MLflow at sqlite:////dev: .*unable to open database file"),
        ("mysql+nosuch://me:secret@host/db", "MLflow at mysql\\+nosuch://host/db: .*nosuch"),
    ],
)
def test_a_record_that_cannot_be_reached_is_one_line(
    uri: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")

    with pytest.raises(RegistryError, match=f"^{reason}") as failed:
        recorded(Settings(mlflow_tracking_uri=uri))

    assert "secret" not in str(failed.value)
    assert "\n" not in str(failed.value)


def test_a_run_is_not_looked_for_on_a_server_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")

    with pytest.raises(RegistryError, match="cannot be reached"):
        with resume_run(Settings(mlflow_tracking_uri="http://127.0.0.1:9"), "f" * 32):
            pass


@pytest.mark.usefixtures("empty_record")
def test_a_failure_while_a_run_fails_does_not_hide_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="the first"):
        with start_run(Settings(), experiment="iris", run_name=None, tags={}):
            Path("mlruns/mlflow.db").unlink()
            Path("mlruns/mlflow.db").mkdir()
            raise ValueError("the first")


@pytest.mark.usefixtures("empty_record")
def test_what_mlflow_refuses_is_an_error(trained: Trained) -> None:
    with pytest.raises(RegistryError, match="^MLflow at sqlite:///.*[Nn]ame"):
        with start_run(Settings(), experiment="iris", run_name=None, tags={}) as run:
            run.register(trained.pipeline, "a/b", trained.rows)

    assert status(Settings(), run) == "FAILED"


def test_training_does_not_record_in_a_bucket() -> None:
    with pytest.raises(ConfigError, match="gs://bucket is only a source to serve from"):
        recorded(Settings(mlflow_tracking_uri="gs://bucket"))


def test_importing_the_record_loads_no_mlflow() -> None:
    code = "import sys, src.promotion.publish, src.tracking.runs; sys.exit('mlflow' in sys.modules)"
    root = Path(__file__).parents[2]

    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0


@pytest.mark.usefixtures("empty_record")
def test_the_record_is_quiet_and_leaves_the_process_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    before = mlflow.get_tracking_uri()

    recorded(Settings())

    assert mlflow.get_tracking_uri() == before
    assert logging.getLogger("mlflow").level == logging.CRITICAL


def test_a_version_that_was_deleted_is_not_described(
    folder: Path, trained: Trained, caplog: pytest.LogCaptureFixture
) -> None:
    settings = Settings()
    with start_run(settings, experiment="iris", run_name="first", tags={}) as run:
        version = run.register(trained.pipeline, "IrisClassifier", trained.rows)
        with connected(settings) as client:
            client.delete_model_version("IrisClassifier", version)

        run.describe_version("IrisClassifier", version, "good", {"gate": "passed"})

    assert caplog.messages[-1] == "the record has no IrisClassifier version 1: it is not described there"

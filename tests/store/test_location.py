from pathlib import Path

import pytest

from src.config import Settings
from src.errors import ConfigError
from src.store.location import Location, locate, store_folder, tracking_uri
from src.store.models import models_folder
from src.validation import without_credentials


@pytest.mark.parametrize(
    ("uri", "location"),
    [
        (None, Location("folder", "mlruns")),
        ("elsewhere/mlruns", Location("folder", "elsewhere/mlruns")),
        ("file:///srv/my%20models", Location("folder", "/srv/my models")),
        ("file:mlruns", Location("folder", "mlruns")),
        ("https://mlflow.example.com/", Location("server", "https://mlflow.example.com")),
        ("gs://bucket/prefix", Location("bucket", "gs://bucket/prefix")),
        ("postgresql+psycopg2://db/mlflow", Location("database", "postgresql+psycopg2://db/mlflow")),
        ("sqlite:///my.db", Location("database", "sqlite:///my.db")),
    ],
)
def test_the_tracking_uri_says_what_kind_of_place_it_is(uri: str | None, location: Location) -> None:
    assert locate(Settings(mlflow_tracking_uri=uri)) == location


@pytest.mark.parametrize(
    "uri", ["s3://bucket", "file://mlruns/x", "http://", "gs://", "ftp://u:secret@host/x"]
)
def test_another_kind_of_place_is_refused(uri: str) -> None:
    with pytest.raises(ConfigError, match="^MLFLOW_TRACKING_URI: .* is not a folder, ") as refused:
        locate(Settings(mlflow_tracking_uri=uri))

    assert "secret" not in str(refused.value)


def test_the_store_is_the_folder_that_is_named_else_the_local_one() -> None:
    assert store_folder(Settings(mlflow_tracking_uri="shared")) == Path("shared")
    assert store_folder(Settings(mlflow_tracking_uri="sqlite:///my.db")) == Path("mlruns")


def test_mlflow_is_given_a_database_in_the_folder(folder: Path) -> None:
    assert tracking_uri(Settings()) == f"sqlite:///{folder}/mlruns/mlflow.db"
    assert tracking_uri(Settings(mlflow_tracking_uri="a b?%")) == f"sqlite:///{folder}/a b%3F%25/mlflow.db"
    assert tracking_uri(Settings(mlflow_tracking_uri="http://server")) == "http://server"


def test_nothing_is_recorded_in_a_bucket() -> None:
    with pytest.raises(ConfigError, match="gs://bucket is only a source to serve from"):
        tracking_uri(Settings(mlflow_tracking_uri="gs://bucket"))


def test_credentials_leave_a_text() -> None:
    text = "GET http://me:secret@host:1/x failed, postgresql://you:other@db/x too; mail a@b.c"

    assert without_credentials(text) == "GET http://host:1/x failed, postgresql://db/x too; mail a@b.c"


@pytest.mark.parametrize(
    ("uri", "folder_of_store", "database"),
    [
        (None, "mlruns", "mlruns/mlflow.db"),
        ("shared/models", "shared/models", "shared/models/mlflow.db"),
        ("sqlite:///my.db", "mlruns", "my.db"),
    ],
)
@pytest.mark.parametrize("copy", [".dvc/tmp/exps/tmp1234", ".dvc/tmp/exps/standalone/tmp1234/sub"])
def test_an_experiment_in_a_copy_uses_the_places_of_the_project(
    copy: str,
    uri: str | None,
    folder_of_store: str,
    database: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (folder / copy).mkdir(parents=True)
    monkeypatch.chdir(folder / copy)
    settings = Settings(mlflow_tracking_uri=uri)

    assert store_folder(settings) == folder / folder_of_store
    assert tracking_uri(settings) == f"sqlite:///{folder}/{database}"
    assert models_folder(settings) == folder / "models"


@pytest.mark.parametrize("uri", ["sqlite:////srv/my.db", "sqlite://", "postgresql://db/mlflow"])
def test_a_database_elsewhere_is_no_experiments_own(
    uri: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / ".dvc/tmp/exps/tmp1234").mkdir(parents=True)
    monkeypatch.chdir(folder / ".dvc/tmp/exps/tmp1234")

    assert tracking_uri(Settings(mlflow_tracking_uri=uri)) == uri

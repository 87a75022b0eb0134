import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from src.bundle import bundle as bundles
from src.bundle.bundle import dump_json
from src.config import Settings
from src.errors import BundleError, RegistryError
from src.promotion.publish import publish
from src.store.sources import source_for
from tests.stores import MakeFiles, Trained, labels_of


@pytest.mark.parametrize(
    ("uri", "description"),
    [
        (None, "folder models"),
        ("sqlite:///x.db", "folder models"),
        ("mlruns", "model store mlruns"),
        ("gs://bucket/prefix", "model store gs://bucket/prefix"),
        (
            "https://me:secret@host:5000/mlflow/",
            "MLflow server https://host:5000/mlflow",
        ),
    ],
)
def test_the_tracking_uri_names_the_source(uri: str | None, description: str) -> None:
    assert source_for(Settings(mlflow_tracking_uri=uri)).description == description


def test_a_folder_is_a_source(make_version: MakeFiles, folder: Path) -> None:
    source = source_for(Settings(model_dir=Path("models")))
    assert source.current() is None
    files = make_version("7")
    bundles.write_folder(folder / "models", files)

    bundle = source.load()

    assert bundle.manifest.version == "7"
    assert source.current() == bundle.digest == bundles.sha256(files[bundles.MANIFEST])


def test_a_folder_that_cannot_be_read_is_an_error(folder: Path) -> None:
    (folder / "models").write_text("a file")

    with pytest.raises(RegistryError, match="models/metadata.json: Not a directory"):
        source_for(Settings()).current()


def test_a_store_without_a_champion_has_no_model_yet() -> None:
    source = source_for(Settings(mlflow_tracking_uri="mlruns"))

    assert source.current() is None
    with pytest.raises(RegistryError, match="mlruns: no champion.json"):
        source.load()


def test_a_moved_store_serves_the_same_model(
    candidate: Callable[..., Path], trained: Trained, folder: Path
) -> None:
    published = publish(candidate("7"), Settings())
    shutil.move(folder / "mlruns", folder / "elsewhere")
    shutil.rmtree(folder / "models")

    source = source_for(Settings(mlflow_tracking_uri=str(folder / "elsewhere")))

    assert source.current() == published.digest
    assert labels_of(source.load(), trained.rows) == list(trained.pipeline.predict(trained.rows))


@pytest.mark.parametrize("name", ["metadata.json", *bundles.FILES])
def test_a_damaged_champion_is_refused(name: str, candidate: Callable[..., Path], folder: Path) -> None:
    publish(candidate("7"), Settings())
    [kept] = (folder / "mlruns/bundles").glob("7-*")
    (kept / name).write_bytes((kept / name).read_bytes() + b" ")

    with pytest.raises(BundleError, match=f"{name}: SHA-256 is"):
        source_for(Settings(mlflow_tracking_uri="mlruns")).load()


def test_a_champion_with_another_digest_is_refused(candidate: Callable[..., Path], folder: Path) -> None:
    publish(candidate("7"), Settings())
    [kept] = (folder / "mlruns/bundles").glob("7-*")
    pointer = {"bundle": f"bundles/{kept.name}", "manifest_sha256": "0" * 64}
    (folder / "mlruns/champion.json").write_bytes(dump_json(pointer))

    with pytest.raises(BundleError, match="expected 0000"):
        source_for(Settings(mlflow_tracking_uri="mlruns")).load()


def test_a_champion_behind_a_link_out_of_the_store_is_refused(
    candidate: Callable[..., Path], folder: Path
) -> None:
    publish(candidate("7"), Settings())
    [kept] = (folder / "mlruns/bundles").glob("7-*")
    shutil.move(kept, folder / "outside")
    kept.symlink_to(folder / "outside")

    with pytest.raises(BundleError, match="leads out of mlruns"):
        source_for(Settings(mlflow_tracking_uri="mlruns")).load()

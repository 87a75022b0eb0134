from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from google.cloud.storage import Blob

from src.bundle import bundle as bundles
from src.config import Settings
from src.errors import BundleError, RegistryError
from src.promotion.publish import publish
from src.store.bucket import BucketFiles
from src.store.sources import source_for
from tests.buckets import upload
from tests.stores import Trained, labels_of


@pytest.mark.parametrize("prefix", ["", "iris/prod/"])
def test_a_store_copied_to_a_bucket_serves_the_same_model(
    prefix: str, bucket: Any, candidate: Callable[..., Path], trained: Trained
) -> None:
    source = source_for(Settings(mlflow_tracking_uri=f"gs://models/{prefix}"))
    before = source.current()
    published = publish(candidate("7"), Settings())
    upload(bucket, Path("mlruns"), prefix)

    bundle = source.load()

    assert before is None
    assert source.current() == bundle.digest == published.digest
    assert labels_of(bundle, trained.rows) == list(trained.pipeline.predict(trained.rows))


def test_a_bucket_without_a_champion_has_nothing_to_load(bucket: Any) -> None:
    with pytest.raises(RegistryError, match="gs://models: no champion.json"):
        source_for(Settings(mlflow_tracking_uri="gs://models")).load()


def test_a_damaged_bundle_in_a_bucket_is_refused(bucket: Any, candidate: Callable[..., Path]) -> None:
    published = publish(candidate("7"), Settings())
    upload(bucket, Path("mlruns"), "")
    kept = f"bundles/7-{published.digest[:12]}"
    source = source_for(Settings(mlflow_tracking_uri="gs://models"))
    bucket.blob(f"{kept}/{bundles.MODEL}").upload_from_string(b"damaged")

    with pytest.raises(BundleError, match="model.onnx: SHA-256 is"):
        source.load()

    bucket.delete_blob(f"{kept}/{bundles.MODEL}")
    with pytest.raises(BundleError, match=f"gs://models: no {kept}/model.onnx"):
        source.load()


def test_a_pointer_out_of_the_bucket_is_refused(bucket: Any) -> None:
    pointer = {"bundle": "../other", "manifest_sha256": "0" * 64}
    bucket.blob("champion.json").upload_from_string(bundles.dump_json(pointer))

    with pytest.raises(BundleError, match="gs://models: champion.json: bundle: String should match pattern"):
        source_for(Settings(mlflow_tracking_uri="gs://models")).current()


def test_an_object_larger_than_the_limit_is_not_downloaded(bucket: Any) -> None:
    bucket.blob("large").upload_from_string(b"x" * 11)
    bucket.blob("empty").upload_from_string(b"")

    with pytest.raises(BundleError, match="gs://models: large is larger than 10 bytes"):
        BucketFiles("gs://models").read("large", 10)
    assert BucketFiles("gs://models").read("large", 11) == b"x" * 11
    assert BucketFiles("gs://models").read("empty", 0) == b""


def test_a_bucket_without_credentials_is_an_error_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_GCE_CHECK", "true")  # this machine may be one of Google's
    monkeypatch.setenv("CLOUDSDK_CONFIG", "nowhere")

    with pytest.raises(RegistryError, match="^gs://models: no Google Cloud credentials: set GOOGLE_APP"):
        source_for(Settings(mlflow_tracking_uri="gs://models")).current()


@pytest.mark.timeout(60)  # the library by itself goes on for two minutes
def test_a_bucket_that_cannot_be_reached_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:9")
    monkeypatch.setattr("src.store.bucket.RETRY_SECONDS", 0.2)

    with pytest.raises(RegistryError, match="^gs://models: "):
        source_for(Settings(mlflow_tracking_uri="gs://models")).current()


def test_an_object_larger_than_it_says_is_cut_off(bucket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket.blob("packed").upload_from_string(b"x" * 11)
    monkeypatch.setattr(Blob, "size", 1)  # as of one that is stored compressed

    with pytest.raises(BundleError, match="gs://models: packed is larger than 10 bytes"):
        BucketFiles("gs://models").read("packed", 10)


def test_an_object_that_drips_is_given_up(bucket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("src.store.bucket.TOTAL_SECONDS", -1.0)  # late at the first bytes
    bucket.blob("slow").upload_from_string(b"x" * 10)

    with pytest.raises(RegistryError, match="gs://models: slow did not come whole in -1 s"):
        BucketFiles("gs://models").read("slow", 100)

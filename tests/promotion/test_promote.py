from collections.abc import Callable
from pathlib import Path

import pytest

from src.config import Settings
from src.errors import BundleError, RegistryError
from src.promotion import promote as command
from src.promotion.promote import promote
from src.promotion.publish import publish
from src.store.sources import source_for

STORE = Settings(mlflow_tracking_uri="mlruns")


def test_a_kept_version_comes_into_service_again(
    candidate: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = publish(candidate("7"), Settings())
    publish(candidate("8"), Settings())
    monkeypatch.setattr("sys.argv", ["promote", "7"])

    command.main()

    assert source_for(Settings()).load() == source_for(STORE).load() == first


def test_an_unknown_version_is_an_error_that_names_the_known_ones(candidate: Callable[..., Path]) -> None:
    one = publish(candidate("7"), Settings())
    two = publish(candidate("8"), Settings())

    with pytest.raises(RegistryError) as refused:
        promote("9", Settings())

    known = f"7-{one.digest[:12]}, 8-{two.digest[:12]}"
    assert str(refused.value) == f"model store mlruns: no version 9; there are: {known}"


def test_an_empty_store_has_no_version() -> None:
    with pytest.raises(RegistryError, match="no version 9; there are: none$"):
        promote("9", Settings())


def test_a_version_with_several_bundles_must_be_named_in_full(candidate: Callable[..., Path]) -> None:
    first = publish(candidate("7"), Settings())
    publish(candidate("7", n_samples=99), Settings())

    with pytest.raises(RegistryError, match="version 7 has several bundles, name one; there are: 7-"):
        promote("7", Settings())

    assert promote(f"7-{first.digest[:12]}", Settings()) == first


def test_a_damaged_bundle_is_not_promoted(candidate: Callable[..., Path]) -> None:
    old = publish(candidate("7"), Settings())
    new = publish(candidate("8"), Settings())
    Path(f"mlruns/bundles/7-{old.digest[:12]}/model.onnx").write_bytes(b"damaged")

    with pytest.raises(BundleError, match="model.onnx: SHA-256 is"):
        promote("7", Settings())

    assert source_for(Settings()).load() == source_for(STORE).load() == new


def test_a_bundle_under_another_ones_name_is_not_promoted(candidate: Callable[..., Path]) -> None:
    old = publish(candidate("7"), Settings())
    publish(candidate("8"), Settings())
    Path(f"mlruns/bundles/7-{old.digest[:12]}").rename("mlruns/bundles/9-000000000000")

    with pytest.raises(BundleError, match="bundles/9-000000000000 is not the bundle that was put there"):
        promote("9", Settings())

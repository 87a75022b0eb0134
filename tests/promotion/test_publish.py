import json
import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from src.bundle import bundle as bundles
from src.bundle.bundle import Bundle, write_folder
from src.config import Settings
from src.errors import BundleError, ConfigError, GateError, RegistryError
from src.promotion import publish as command
from src.promotion.folder_store import FolderStore
from src.promotion.publish import publish
from src.promotion.step import Author
from src.store.history import Action
from src.store.sources import source_for
from tests.stores import MakeFiles

STORE = Settings(mlflow_tracking_uri="mlruns")


def in_service() -> str:
    return source_for(Settings()).load().manifest.version


def champion() -> str:
    return source_for(STORE).load().manifest.version


def test_a_published_bundle_is_in_models_and_in_the_store(
    candidate: Callable[..., Path], folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        bundle = publish(candidate("7"), Settings())

    kept = f"bundles/7-{bundle.digest[:12]}"
    assert json.loads(Path("mlruns/champion.json").read_text()) == {
        "bundle": kept,
        "manifest_sha256": bundle.digest,
    }
    assert source_for(Settings()).load() == source_for(STORE).load() == bundle
    [line] = FolderStore(Path("mlruns")).ledger()
    assert (line.version, line.bundle, line.manifest_sha256, line.previous) == (
        "7",
        kept,
        bundle.digest,
        None,
    )
    assert caplog.messages == [
        "the MLflow record has no IrisClassifier version 7: its alias champion stays where it was",
        "IrisClassifier version 7 is in service, in models",
    ]
    assert sorted(path.name for path in folder.iterdir()) == ["build", "mlruns", "models"]
    assert sorted(path.name for path in Path("mlruns").iterdir()) == [
        ".lock",
        "bundles",
        "champion.json",
        "ledger.jsonl",
    ]


def test_publishing_the_champion_again_only_restores_what_is_missing(candidate: Callable[..., Path]) -> None:
    publish(candidate("7"), Settings())
    [kept] = Path("mlruns/bundles").iterdir()
    (kept / bundles.MODEL).write_bytes(b"damaged")
    Path("models/metadata.json").unlink()

    publish(candidate("7"), Settings())

    assert (in_service(), champion()) == ("7", "7")
    assert len(FolderStore(Path("mlruns")).ledger()) == 1


def test_the_ledger_names_what_each_champion_followed(candidate: Callable[..., Path]) -> None:
    first = publish(candidate("7"), Settings())
    publish(candidate("8"), Settings())

    assert [(line.version, line.previous) for line in FolderStore(Path("mlruns")).ledger()] == [
        ("7", None),
        ("8", f"bundles/7-{first.digest[:12]}"),
    ]


def test_a_damaged_bundle_is_refused_and_the_old_one_stays(candidate: Callable[..., Path]) -> None:
    publish(candidate("7"), Settings())
    folder = candidate("8")
    (folder / bundles.MODEL).write_bytes(b"damaged")

    with pytest.raises(BundleError, match="model.onnx: SHA-256 is"):
        publish(folder, Settings())

    assert (in_service(), champion()) == ("7", "7")
    assert len(FolderStore(Path("mlruns")).ledger()) == 1


def test_a_bundle_that_fails_its_self_test_is_refused(
    make_version: MakeFiles, candidate: Callable[..., Path]
) -> None:
    publish(candidate("7"), Settings())
    files = make_version("8")
    example = json.loads(files[bundles.EXAMPLE])
    example["labels"] = list(reversed(example["labels"]))
    wrong = {**files, bundles.EXAMPLE: bundles.dump_json(example)}
    bundle = bundles.load(files.__getitem__)
    write_folder(Path("wrong"), bundles.seal(_training(bundle), bundle.metrics, _unsealed(wrong)))

    with pytest.raises(BundleError, match="self-test"):
        publish(Path("wrong"), Settings())

    assert (in_service(), champion()) == ("7", "7")


def test_a_bundle_that_missed_the_gate_is_refused(candidate: Callable[..., Path]) -> None:
    publish(candidate("7", {"gate": {"missed": []}}), Settings())

    with pytest.raises(GateError, match="^not published: accuracy 0.5; worse than chance$"):
        publish(candidate("8", {"gate": {"missed": ["accuracy 0.5", "worse than chance"]}}), Settings())

    assert (in_service(), champion()) == ("7", "7")


@pytest.mark.parametrize("version", ["../7", "a/b", ".7"])
def test_a_version_that_is_no_name_is_refused(version: str, candidate: Callable[..., Path]) -> None:
    with pytest.raises(BundleError, match="cannot be the name of a folder"):
        publish(candidate(version), Settings())

    assert source_for(STORE).current() is None


@pytest.mark.parametrize("failing", ["stage", "ledger", "pointer", "models"])
def test_a_failure_half_way_leaves_whole_models_and_can_be_repeated(
    failing: str, candidate: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(candidate("7"), Settings())
    new = candidate("8")

    with monkeypatch.context() as patch, pytest.raises(RegistryError, match="No space left on device"):
        fail_at(failing, patch)
        publish(new, Settings())

    assert in_service() == "7"
    assert champion() == ("8" if failing == "models" else "7")
    assert not list(Path().glob(".models*"))
    publish(new, Settings())
    assert (in_service(), champion()) == ("8", "8")


def test_an_interruption_before_the_pointer_leaves_the_old_model(
    candidate: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(candidate("7"), Settings())
    new = candidate("8")

    def interrupt(self: FolderStore, bundle: Bundle, action: Action, author: Author) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(FolderStore, "move", interrupt)
        publish(new, Settings())

    assert (in_service(), champion()) == ("7", "7")


def test_publishers_wait_for_each_other(
    candidate: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(candidate("7"), Settings())
    bundle = candidate("8")
    publisher = threading.Thread(target=publish, args=(bundle, Settings()))

    with FolderStore(Path("mlruns")).locked():
        publisher.start()
        publisher.join(timeout=0.3)
        waiting = publisher.is_alive(), champion()
    publisher.join()

    assert waiting == (True, "7")
    assert champion() == "8"


def test_a_bucket_is_not_published_to(candidate: Callable[..., Path]) -> None:
    with pytest.raises(ConfigError, match="gs://bucket is only a source to serve from"):
        publish(candidate("7"), Settings(mlflow_tracking_uri="gs://bucket"))

    assert source_for(Settings()).current() is None


def test_the_command_publishes_what_evaluation_made(
    candidate: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    candidate("7")
    monkeypatch.setattr("sys.argv", ["publish"])

    command.main()

    assert in_service() == "7"


def _training(bundle: Bundle) -> Any:
    fields = bundles.Training.model_fields
    return bundles.Training.model_validate({name: getattr(bundle.manifest, name) for name in fields})


def _unsealed(files: dict[str, bytes]) -> dict[str, bytes]:
    return {name: files[name] for name in files if name not in (bundles.MANIFEST, bundles.METRICS)}


def fail_at(step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the disk be full when that step renames or makes its file."""
    targets = {"ledger": "ledger.jsonl", "pointer": "champion.json", "models": "models"}

    def full(path: object) -> OSError:
        return OSError(28, "No space left on device", str(path))

    if step == "stage":
        mkdir = Path.mkdir

        def make(self: Path, *args: Any, **options: Any) -> None:
            if self.name.startswith(".models."):
                raise full(self)
            mkdir(self, *args, **options)

        monkeypatch.setattr(Path, "mkdir", make)
        return
    monkeypatch.setattr("src.disk.folders.swapped", lambda one, other: False)  # as where the system cannot
    for method in ("replace", "rename"):
        original = getattr(Path, method)

        def move(self: Path, target: Path, original: Any = original) -> Any:
            if Path(target).name == targets[step] and self.name.endswith(".new"):
                raise full(target)
            return original(self, target)

        monkeypatch.setattr(Path, method, move)

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.ci import model_pointer
from src.errors import BundleError, GateError, RegistryError
from src.store.files import FolderFiles
from src.store.sources import StoreSource
from tests.conftest import run

Candidate = Callable[..., Path]


def keep(candidate: Path) -> Path:
    """Copy a bundle to the place in the store `store` that the pointer names."""
    kept = Path("store") / json.loads(model_pointer.POINTER.read_text())["bundle"]
    shutil.copytree(candidate, kept)
    return kept


def test_the_pointer_is_what_the_store_calls_its_champion(
    candidate: Candidate, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = candidate("7")

    run(model_pointer.main, "write", "store")

    keep(bundle)
    shutil.copy(model_pointer.POINTER, "store/champion.json")
    assert capsys.readouterr().out == f"deploy/model.json: bundles/7-{model_pointer.gate().digest[:12]}\n"
    run(model_pointer.main, "verify", "store")
    assert "is whole and answers as it did, accuracy 0.9000\n" in capsys.readouterr().out
    assert StoreSource(FolderFiles(Path("store"))).load() == model_pointer.gate()


def test_the_same_model_trained_again_is_no_proposal(
    candidate: Candidate, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = candidate("7")
    run(model_pointer.main, "write", "store")
    keep(bundle)
    before = model_pointer.POINTER.read_bytes()

    candidate("8", created_at="2026-02-03T04:05:06Z")
    run(model_pointer.main, "write", "store")

    assert model_pointer.POINTER.read_bytes() == before
    assert capsys.readouterr().out.endswith("deploy/model.json: the model is the one it points to\n")


def test_a_model_that_missed_the_gate_is_not_proposed(candidate: Candidate) -> None:
    candidate("7", {"gate": {"passed": False, "missed": ["accuracy 0.5 is below 0.85"]}})

    with pytest.raises(GateError, match="^not to be proposed: accuracy 0.5 is below 0.85$"):
        run(model_pointer.main, "write", "store")

    assert not model_pointer.POINTER.exists()


def test_a_model_that_passed_is_said_to_have(
    candidate: Candidate, capsys: pytest.CaptureFixture[str]
) -> None:
    candidate("7")

    run(model_pointer.main, "gate")

    assert capsys.readouterr().out == "IrisClassifier: passed the gate, accuracy 0.9000\n"


def test_a_bundle_that_was_changed_in_the_store_is_refused(candidate: Candidate) -> None:
    bundle = candidate("7")
    run(model_pointer.main, "write", "store")
    kept = keep(bundle)
    (kept / "example.json").write_text("{}")

    with pytest.raises(BundleError, match="example.json: SHA-256 is"):
        run(model_pointer.main, "verify", "store")


def test_without_a_pointer_there_is_nothing_to_verify() -> None:
    with pytest.raises(RegistryError, match="^there is no deploy/model.json$"):
        run(model_pointer.main, "verify", "store")


def test_a_pointer_that_leads_out_of_the_store_is_refused() -> None:
    model_pointer.POINTER.parent.mkdir()
    model_pointer.POINTER.write_text(json.dumps({"bundle": "../elsewhere", "manifest_sha256": "0" * 64}))

    with pytest.raises(BundleError, match="^deploy/model.json: bundle: "):
        run(model_pointer.main, "verify", "store")

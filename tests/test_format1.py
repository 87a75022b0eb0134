"""Bundles of the first format still give the answers that were given then to 1,000 requests."""

import json
from pathlib import Path

import pytest

from src.bundle import bundle as bundles
from src.runtime import session
from src.serving.loaded_model import LoadedModel
from src.serving.metrics import Metrics
from tests.conftest import REPOSITORY

FOLDER = REPOSITORY / "tests/format1"
BUNDLES = sorted(path.name for path in FOLDER.iterdir())


def answers_of(folder: Path) -> list[bytes]:
    bundle = bundles.load(bundles.folder_fetch(folder / "bundle"))
    model = LoadedModel(bundle, session.load(bundle), Metrics(), 1000)
    return [model.answer(model.read(row))[1] for row in (folder / "requests.jsonl").read_bytes().splitlines()]


@pytest.mark.parametrize("name", BUNDLES)
def test_the_manifest_says_the_same_in_the_present_format(name: str) -> None:
    content = (FOLDER / name / "bundle/metadata.json").read_bytes()
    before = json.loads(content)

    manifest = bundles.parse_manifest(content)

    names = ("accuracy", "precision", "recall", "f1_score")
    assert (manifest.format, manifest.task, manifest.primary_measure) == (2, "classification", "accuracy")
    assert manifest.measures == {measure: before[measure] for measure in names}
    assert manifest.version == before["version"]
    assert manifest.files == before["files"]


def test_a_forest_answers_with_the_same_bytes() -> None:
    folder = FOLDER / "iris_forest"

    assert answers_of(folder) == (folder / "answers.jsonl").read_bytes().splitlines()


def test_a_logistic_regression_answers_the_same_but_for_rounding() -> None:
    """Its sums may be rounded otherwise on another processor."""
    folder = FOLDER / "customers_logistic"
    before = [json.loads(line) for line in (folder / "answers.jsonl").read_bytes().splitlines()]

    now = [json.loads(answer) for answer in answers_of(folder)]

    assert [one["prediction"] for one in now] == [one["prediction"] for one in before]
    for one, other in zip(now, before, strict=True):
        assert one["probabilities"] == pytest.approx(other["probabilities"], rel=0, abs=1e-12)

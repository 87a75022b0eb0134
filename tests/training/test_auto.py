"""The family that answers best on rows it was not fitted to."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from src.config import Settings
from src.data import prepare
from src.errors import DataError
from src.evaluation import evaluate
from src.export.families.section import AutoParams
from src.params import DataParams
from src.store.models import in_models
from src.tables import frames
from src.tables.frames import Prepared
from src.tracking.client import connected
from src.training import auto, train
from src.training.auto import choose
from tests.conftest import run
from tests.mixed import write_mixed

SEED = 3


def data_params(**changes: Any) -> DataParams:
    given = {"name": "t", "source": "t.csv", "target": "y", "drop": (), "ranges": {}, "test_size": 0.2}
    return DataParams.model_validate({**given, "random_state": SEED, **changes})


def prepared(table: pd.DataFrame, **changes: Any) -> tuple[Prepared, DataParams]:
    data = frames.with_task(table.astype(str), data_params(**changes))
    return frames.prepared(frames.to_values(table.astype(str), data), data), data


def numbers(rows: int, target: Any, **more: Any) -> pd.DataFrame:
    random = np.random.default_rng(1)
    a, b = random.normal(0, 1, rows), random.normal(0, 1, rows)
    return pd.DataFrame({"a": a, "b": b, "y": target(a, b, random.normal(0, 0.1, rows)), **more})


PARAMS = AutoParams(model="auto", folds=4)


@pytest.mark.parametrize(
    ("target", "best"),
    [
        (lambda a, b, noise: 3 * a - b + noise, "ridge"),
        (lambda a, b, noise: np.where(a * b > 0, 5.0, -5.0) + noise, "random_forest"),
        (lambda a, b, noise: np.where(a + b + 3 * noise > 0, "yes", "no"), "logistic_regression"),
    ],
    ids=["a line", "steps", "a line between classes"],
)
def test_the_family_that_fits_the_table_is_first(target: Any, best: str) -> None:
    table, data = prepared(numbers(600, target))

    tried = choose(table, PARAMS, data)

    assert tried[0].params.model == best
    assert [one.mean for one in tried] == sorted(one.mean for one in tried)
    assert {len(one.values) for one in tried} == {4}
    assert [one[1] for one in choose(table, PARAMS, data)] == [one[1] for one in tried]


def test_a_class_that_a_fold_lacks_is_no_fault() -> None:
    classes = np.array(["a", "b"] * 60, dtype=object)
    classes[:2] = "rare"
    table, data = prepared(numbers(120, lambda a, b, noise: classes))

    tried = choose(table, PARAMS, data)

    assert all(np.isfinite(one.values).all() for one in tried)


def test_too_few_rows_are_one_line() -> None:
    table, data = prepared(numbers(8, lambda a, b, noise: ["x", "y"] * 4))

    with pytest.raises(DataError, match="train.folds: 4 folds of 6 training rows; allowed: two rows a fold"):
        choose(table, PARAMS, data)


@pytest.mark.parametrize(("key", "column"), [("group", "who"), ("time", "day")])
def test_families_are_compared_as_the_held_out_rows_are(key: str, column: str) -> None:
    """Rows of one group have one target: who knows a row of the group knows the others."""
    rows = 240
    who = np.arange(rows) // 8
    target = np.random.default_rng(3).normal(0, 10, rows // 8)[who]
    table = numbers(rows, lambda a, b, noise: target + noise, who=[f"p{one}" for one in who], day=who)
    table["code"] = who * 1.0
    given, data = prepared(table, **{key: column}, drop=("who", "day"))
    random_folds = Prepared(given.schema, given.train, given.test)

    apart, mixed = choose(given, PARAMS, data), choose(random_folds, PARAMS, data)

    spread = float(given.train["y"].std())
    assert mixed[0].mean < 0.5 * spread
    assert apart[0].mean > 0.7 * spread


def test_a_large_table_is_compared_on_a_part(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    monkeypatch.setattr(auto, "MOST_ROWS", 100)
    table, data = prepared(numbers(300, lambda a, b, noise: a + noise))

    choose(table, PARAMS, data)

    assert caplog.messages[0] == "comparing families on 100 of 240 training rows"


def test_training_takes_the_best_and_the_record_says_so(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_mixed(folder, model="auto", folds=3)
    for stage in (prepare, train, evaluate):
        run(stage.main)

    bundle = in_models(Settings())
    assert bundle is not None
    out = capsys.readouterr().out.splitlines()
    assert out[0] == "log_loss in cross-validation, less is better"
    best = out[1].split()[0]
    assert bundle.manifest.parameters["model"] == best
    with connected(Settings()) as client:
        found = client.get_run(str(bundle.manifest.mlflow_run_id)).data
    assert found.tags["chosen_by"] == "auto: log_loss in cross-validation of 3 families"
    assert found.metrics[f"cv_log_loss_1_{best}"] == pytest.approx(float(out[1].split()[1]), rel=1e-4)
    assert found.params["model"] == best

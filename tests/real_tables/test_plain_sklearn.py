"""Our models beside the same estimators in plain scikit-learn, as one writes it: same rows, same split.

`make test-tables` prints the ratio of each table: what we add (types, dates, missing values and categories
as the family takes them, the exact export) must not cost quality.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.metrics import accuracy_score, r2_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from src import paths
from src.bundle import bundle as bundles
from src.config import StoreSettings
from src.export.families.registry import build
from src.export.families.section import AutoParams
from src.params import load_params
from src.tables import frames, processed
from src.tables.source import read_texts
from tests.checkouts import run_stages, write_checkout
from tests.conftest import inside
from tests.real_tables.test_real_tables import Case, table_of

pytestmark = pytest.mark.timeout(1_800)

AUTO = {"model": "auto", "folds": 3}
CASES = [
    Case("sklearn.wine", "target", AUTO),
    Case("sklearn.diabetes", "target", AUTO),
    Case("palmerpenguins.penguins", "species", AUTO),
    Case("vega.cars", "Miles_per_Gallon", AUTO),
    Case("vega.seattle_weather", "weather", AUTO),
    Case("carData.TitanicSurvival", "survived", AUTO),
    Case("modeldata.credit_data", "Status", AUTO),
    Case("modeldata.concrete", "compressive_strength", AUTO),
    Case("modeldata.hpc_data", "class", AUTO),
    Case("modeldata.wa_churn", "churn", AUTO),
    Case("ISLR.Carseats", "Sales", AUTO),
    Case("ggplot2.mpg", "hwy", AUTO),
]
LEAST = 0.98  # one test row of fifty


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.table}-{case.target}")
def test_plain_scikit_learn_is_no_better(case: Case, tmp_path: Path) -> None:
    table = table_of(case)
    data = {"target_missing": "drop", "rare_classes": "drop", "unusable": "drop", **case.data}
    write_checkout(tmp_path, table, case.target, case.train, {"beat_baseline_by": 0.0}, name="real", **data)
    with inside(tmp_path):
        run_stages()
        bundle = bundles.load(bundles.folder_fetch(StoreSettings().model_dir))
        params = load_params()
        train, test = the_same_split(params.data.source)
    manifest = bundle.manifest
    assert isinstance(params.train, AutoParams)
    [chosen] = [
        one for one in params.train.candidates_for(manifest.task) if one.model == manifest.parameters["model"]
    ]
    target = bundle.schema.target_header
    features = [name for name in train.columns if name != target]
    numbers = [name for name in features if pd.api.types.is_numeric_dtype(train[name])]
    usual = ColumnTransformer(
        [
            ("numbers", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numbers),
            (
                "texts",
                OneHotEncoder(handle_unknown="ignore", sparse_output=False, max_categories=100),
                [name for name in features if name not in numbers],
            ),
        ]
    )
    plain = make_pipeline(usual, build(chosen, manifest.task, params.data.random_state))
    plain.fit(train[features], train[target])
    measure = accuracy_score if manifest.task == "classification" else r2_score
    theirs = float(measure(test[target], plain.predict(test[features])))
    ours = manifest.measures[manifest.primary_measure]

    print(
        f"| {case.table} | {case.target} | {chosen.model} | {manifest.primary_measure} | {ours:.4f} | "
        f"{theirs:.4f} | {ours / theirs:.3f} |"
    )
    assert ours / theirs >= LEAST


def the_same_split(source: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows of the file as pandas reads them, those that were fitted and those held out."""
    params = load_params()
    texts = read_texts(Path(source))
    data = frames.with_task(texts, params.data)
    prepared = frames.prepared(frames.to_values(texts, data), data)
    table = pd.read_csv(source)
    wanted = table[prepared.schema.target_header].notna()
    if len(prepared.train) + len(prepared.test) < len(table):
        table = table[wanted].reset_index(drop=True)
    columns = [*(one.header for one in prepared.schema.columns), prepared.schema.target_header]
    assert len(prepared.train) + len(prepared.test) == len(table)
    found = table[columns].loc[prepared.train.index], table[columns].loc[prepared.test.index]
    held_out = processed.read_prepared(paths.TEST, prepared.schema)
    assert len(held_out) == len(found[1])
    for one in prepared.schema.numeric:
        if one.name in held_out and one.header in found[1] and one.type != "boolean":
            np.testing.assert_allclose(
                held_out[one.name].to_numpy(), found[1][one.header].to_numpy(dtype=float), equal_nan=True
            )
    return found

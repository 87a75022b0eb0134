"""Tables to train on, and models of them."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.base import is_regressor
from sklearn.datasets import load_iris
from sklearn.pipeline import Pipeline

from src.export.export import export
from src.export.pipeline import build_pipeline, to_frame
from src.schema.columns import Schema
from src.schema.features import Features, to_features
from src.schema.names import slugs
from src.tables.infer import infer


class Fitted(NamedTuple):
    """A pipeline, its export and the rows it was fitted on."""

    pipeline: Pipeline
    model: bytes
    schema: Schema
    rows: Features


def iris_table() -> tuple[pd.DataFrame, str]:
    iris = load_iris(as_frame=True)
    return iris.frame.drop(columns="target").assign(species=iris.target_names[iris.target]), "species"


def mixed_table(rows: int, classes: int, seed: int = 0) -> tuple[pd.DataFrame, str]:
    """Return every kind of column, with values missing in all but the first three; 0 classes: a number."""
    random = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "amount": random.normal(size=rows),
            "count": random.integers(-5, 50, rows),
            "flag": random.random(rows) < 0.4,
            "grid": np.round(random.uniform(0, 3, rows), 1),
            "often_missing": random.normal(size=rows),
            "letter": random.choice(["a", "b", "c", "é"], rows),
            "level": random.choice([f"level {number}" for number in range(30)], rows),
        }
    )
    signal = table["amount"] + table["grid"] + (table["letter"] == "a") + table["flag"]
    noisy = signal + random.normal(size=rows) / 2
    labels = [f"class {number}" for number in range(classes)]
    table["outcome"] = pd.qcut(noisy, classes, labels=labels).astype(str) if classes else noisy
    for column, share in (("grid", 0.1), ("often_missing", 0.3), ("letter", 0.1), ("level", 0.1)):
        table.loc[random.random(rows) < share, column] = None
    return table, "outcome"


def fit(table: pd.DataFrame, target: str, estimator: Any) -> Fitted:
    schema = infer(table, target, {}, task="regression" if is_regressor(estimator) else "classification")
    rows = to_features(schema, table.set_axis(slugs([str(header) for header in table.columns]), axis=1))
    values = table[schema.target_header]
    values = values.astype(float) if schema.task == "regression" else values.astype(str)
    pipeline = build_pipeline(schema, estimator).fit(to_frame(schema, rows), values.to_numpy())
    return Fitted(pipeline, export(pipeline, schema), schema, rows)

"""Fit the model, export it, and make sure that what is delivered answers as what was fitted."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from src.bundle.bundle import Example
from src.bundle.limits import Scalar
from src.config import Params
from src.export.export import export, is_exact
from src.export.parity import check_parity, edge_rows
from src.export.pipeline import build_pipeline
from src.monitoring.profile import Profile, profile
from src.progress import step
from src.runtime.predictions import Runtime
from src.runtime.session import open_model
from src.schema.columns import CategoryColumn, Column, Features, Schema, to_features
from src.tables.frames import Prepared

EDGE_ROWS = 20_000
EXAMPLE_ROWS = 5


@dataclass(frozen=True)
class Fitted:
    """A model in both forms, and what goes with it into the bundle."""

    pipeline: Pipeline
    model: bytes
    runtime: Runtime
    exact: bool
    profile: Profile
    example: Example


def fit(prepared: Prepared, params: Params) -> Fitted:
    """Return the model of `params`, fitted to the training rows.

    Raises:
        ParityError: the exported model answers a row differently.
    """
    schema, seed = prepared.schema, params.data.random_state
    pipeline = build_pipeline(schema, estimator(params))
    with step(f"fitting {type(pipeline[-1]).__name__} to {len(prepared.train)} rows"):
        pipeline.fit(prepared.train[schema.names], prepared.train[schema.target].to_numpy(dtype=object))
        pipeline[-1].set_params(n_jobs=None)  # with several threads, a forest's sums differ from run to run
    with step("exporting to ONNX"):
        model = export(pipeline, schema)
        runtime = open_model(model, schema)
    train, test = to_features(schema, prepared.train), to_features(schema, prepared.test)
    rows = _joined(train, test, edge_rows(pipeline, schema, EDGE_ROWS, seed))
    exact = is_exact(pipeline[-1])
    with step(f"comparing with scikit-learn on {len(rows.numeric)} rows"):
        check_parity(pipeline, model, schema, rows, exact=exact)
    return Fitted(
        pipeline=pipeline,
        model=model,
        runtime=runtime,
        exact=exact,
        profile=profile(schema, train, runtime.predict(train)),
        example=example(pipeline, schema, prepared.test),
    )


def estimator(params: Params) -> Any:
    """Return the unfitted model of `params`; fitting it with any number of threads gives the same."""
    seed = params.data.random_state
    if params.train.model == "logistic_regression":
        return LogisticRegression(max_iter=10_000, random_state=seed)
    kinds = {"random_forest": RandomForestClassifier, "extra_trees": ExtraTreesClassifier}
    return kinds[params.train.model](
        n_estimators=params.train.n_estimators,
        max_depth=params.train.max_depth,
        random_state=seed,
        n_jobs=-1,
    )


def example(pipeline: Pipeline, schema: Schema, test: pd.DataFrame) -> Example:
    """Return a few rows of `test`, of different classes first, with the answers of `pipeline`."""
    firsts = test.drop_duplicates(schema.target)
    rows = pd.concat([firsts, test.drop(firsts.index)]).head(EXAMPLE_ROWS)
    return Example(
        rows=tuple(
            {column.name: _scalar(column, row[column.name]) for column in schema.columns}
            for row in rows.to_dict("records")
        ),
        labels=tuple(str(label) for label in pipeline.predict(rows[schema.names])),
        scores=tuple(tuple(scores) for scores in pipeline.predict_proba(rows[schema.names]).tolist()),
    )


def _joined(*parts: Features) -> Features:
    return Features(
        np.concatenate([part.numeric for part in parts]), np.concatenate([part.categorical for part in parts])
    )


def _scalar(column: Column, value: Any) -> Scalar:
    """Return `value` of a prepared table as a request spells it."""
    if isinstance(column, CategoryColumn):
        return str(value) or None
    if math.isnan(value):
        return None
    kinds: dict[str, type[bool] | type[int] | type[float]] = {"boolean": bool, "integer": int, "float": float}
    return kinds[column.type](value)

"""Fit the model, export it, and make sure that what is delivered answers as what was fitted."""

import math
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from src.bundle.limits import Scalar
from src.bundle.manifest import ExampleRows, Interval
from src.evaluation.conformal import FOLDS, interval
from src.export.export import export
from src.export.families.family import FamilyParams
from src.export.families.registry import build, family_of, require_task
from src.export.parity import check_parity, edge_rows
from src.export.pipeline import build_pipeline, to_frame
from src.monitoring.profile import Profile, profile
from src.params import Params
from src.progress import step
from src.runtime.predictions import Runtime
from src.runtime.session import open_model
from src.schema.columns import CategoryColumn, Column, DateColumn, Schema
from src.schema.features import Features, to_features
from src.tables.folds import folds
from src.tables.frames import Prepared
from src.tasks import TASKS, side

EDGE_ROWS = 20_000
EXAMPLE_ROWS = 5


@dataclass(frozen=True)
class Fitted:
    """A model in both forms, and what goes with it into the bundle."""

    pipeline: Pipeline
    rows: pd.DataFrame  # that it was fitted to
    model: bytes
    runtime: Runtime
    exact: bool
    profile: Profile
    example: ExampleRows  # with the answers of the task
    interval: Interval | None


def fit(prepared: Prepared, params: Params) -> Fitted:
    """Return the model of `params`, fitted to the training rows.

    Raises:
        ParityError: the exported model answers a row differently.
    """
    schema, seed = prepared.schema, params.data.random_state
    form = require_task(params.train, schema.task)
    targets = side("src.tables.targets", schema.task)
    target = targets.to_array(prepared.train[schema.target])
    train, test = to_features(schema, prepared.train), to_features(schema, prepared.test)
    fitted_rows = to_frame(schema, train)
    with step(f"fitting {form.estimator.__name__} to {len(fitted_rows)} rows"):
        pipeline = fit_pipeline(schema, params.train, seed, fitted_rows, target)
    with step("exporting to ONNX"):
        model = export(pipeline, schema)
        runtime = open_model(model, schema)
    rows = _joined(train, test, edge_rows(pipeline, schema, EDGE_ROWS, seed))
    with step(f"comparing with scikit-learn on {len(rows.numeric)} rows"):
        check_parity(pipeline, model, schema, rows, exact=form.exact)
    return Fitted(
        pipeline=pipeline,
        rows=fitted_rows,
        model=model,
        runtime=runtime,
        exact=form.exact,
        profile=profile(schema, train, runtime.predict(train)),
        example=example(pipeline, schema, prepared.test),
        interval=(
            _interval(prepared, params, fitted_rows, target) if TASKS[schema.task].has_interval else None
        ),
    )


def fit_pipeline(
    schema: Schema, family: FamilyParams, seed: int, rows: pd.DataFrame, target: NDArray[Any]
) -> Pipeline:
    """Return a pipeline of `family`, fitted to `rows`, which answers in one thread."""
    pipeline = build_pipeline(schema, build(family, schema.task, seed)).fit(rows, target)
    family_of(pipeline[-1]).use_one_thread(pipeline[-1])
    return pipeline


def example(pipeline: Pipeline, schema: Schema, test: pd.DataFrame) -> ExampleRows:
    """Return a few rows of `test`, different ones first, with the answers of `pipeline`."""
    rows = side("src.tables.targets", schema.task).example_rows(test, EXAMPLE_ROWS, schema.target)
    asked = as_asked(schema, rows)
    frame = to_frame(schema, to_features(schema, rows))
    predictions = side("src.export.answers", schema.task).expected(pipeline, frame, schema)
    made: ExampleRows = side("src.runtime.answers", schema.task).to_example(schema, asked, predictions)
    return made


def as_asked(schema: Schema, rows: pd.DataFrame) -> list[dict[str, Scalar]]:
    """Return `rows` of a prepared table as requests spell them."""
    return [
        {column.name: _scalar(column, row[column.name]) for column in schema.columns}
        for row in rows.to_dict("records")
    ]


def _interval(
    prepared: Prepared, params: Params, rows: pd.DataFrame, target: NDArray[np.float64]
) -> Interval:
    schema, seed = prepared.schema, params.data.random_state

    fitted = partial(fit_pipeline, schema, params.train, seed)
    with step("measuring how wide the interval around a prediction is"):
        return interval(fitted, rows, target, folds(FOLDS, len(rows), prepared.blocks, params.data, None))


def _joined(*parts: Features) -> Features:
    return Features(
        np.concatenate([part.numeric for part in parts]), np.concatenate([part.categorical for part in parts])
    )


def _scalar(column: Column, value: Any) -> Scalar:
    """Return `value` of a prepared table as a request spells it."""
    if isinstance(column, CategoryColumn | DateColumn):
        return str(value) or None
    if math.isnan(value):
        return None
    kinds: dict[str, type[bool] | type[int] | type[float]] = {"boolean": bool, "integer": int, "float": float}
    return kinds[column.type](value)

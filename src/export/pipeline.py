"""The pipelines that can be trained: only those that can be exported exactly."""

from typing import Any

import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from src.export.families.registry import family_of
from src.export.supported import check_pipeline
from src.schema.columns import Schema
from src.schema.features import Features

PREPROCESS, MODEL = "preprocess", "model"


def build_pipeline(schema: Schema, model: Any) -> Pipeline:
    """Return an unfitted pipeline from a data frame of the schema's columns to `model`.

    The frame holds numbers as float64, NaN where one is missing, and categories as str, "" where missing.

    Raises:
        ExportError: `model` has no exact export.
    """
    scaled = family_of(model).scaled
    complete = [column.name for column in schema.numeric if not column.nullable]
    nullable = [column.name for column in schema.numeric if column.nullable]
    categories = [column.name for column in schema.categorical]
    impute = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    steps = [
        ("numeric", StandardScaler() if scaled else "passthrough", complete),
        (
            "imputed",
            Pipeline([("impute", impute), ("scale", StandardScaler())]) if scaled else impute,
            nullable,
        ),
        ("categories", OneHotEncoder(handle_unknown="ignore", sparse_output=False), categories),
    ]
    used = [(name, step, columns) for name, step, columns in steps if columns]
    pipeline = Pipeline([(PREPROCESS, ColumnTransformer(used, sparse_threshold=0)), (MODEL, model)])
    check_pipeline(pipeline, schema)
    return pipeline


def to_frame(schema: Schema, rows: Features) -> pd.DataFrame:
    """Return `rows` as the data frame that a pipeline of `build_pipeline` takes."""
    numbers = {column.name: rows.numeric[:, place] for place, column in enumerate(schema.numeric)}
    texts = {column.name: rows.categorical[:, place] for place, column in enumerate(schema.categorical)}
    return pd.DataFrame({**numbers, **texts})[schema.names]

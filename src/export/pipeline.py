"""The pipelines that can be trained: only those that can be exported exactly."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from src.export.families.registry import family_of
from src.export.supported import check_pipeline
from src.schema.columns import Schema
from src.schema.features import Features

PREPROCESS, MODEL = "preprocess", "model"
CODES = "codes"
MOST_CODES = 255  # categories that boosting tells apart, the missing one is one of them

Step = tuple[str, Any, list[str]]


def build_pipeline(schema: Schema, model: Any) -> Pipeline:
    """Return an unfitted pipeline from a data frame of the schema's features to `model`.

    The frame holds numbers as float64, NaN where one is missing, and categories as str, "" where missing.

    Raises:
        ExportError: `model` has no exact export.
    """
    family = family_of(model)
    steps = _native(schema) if family.native else _complete(schema, family.scaled)
    used = [(name, step, columns) for name, step, columns in steps if columns]
    if family.native:
        codes = sum(len(columns) for name, _, columns in used if name == CODES)
        model.set_params(categorical_features=list(range(codes)) or None)
    pipeline = Pipeline([(PREPROCESS, ColumnTransformer(used, sparse_threshold=0)), (MODEL, model)])
    check_pipeline(pipeline, schema)
    return pipeline


def _complete(schema: Schema, scaled: bool) -> list[Step]:
    """Return steps after which every column is a number and none is missing."""
    complete = [column.name for column in schema.numeric if not column.nullable]
    nullable = [column.name for column in schema.numeric if column.nullable]
    categories = [column.name for column in schema.categorical]
    impute = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    imputed = Pipeline([("impute", impute), ("scale", StandardScaler())]) if scaled else impute
    return [
        ("numeric", StandardScaler() if scaled else "passthrough", complete),
        ("imputed", imputed, nullable),
        ("categories", OneHotEncoder(handle_unknown="ignore", sparse_output=False), categories),
    ]


def _native(schema: Schema) -> list[Step]:
    """Return steps that keep missing numbers; texts become codes, those of too many categories ranks.

    Codes come first, as scikit-learn's boosting puts its categories.
    """
    few = [column.name for column in schema.categorical if len(column.categories) < MOST_CODES]
    many = [column.name for column in schema.categorical if len(column.categories) >= MOST_CODES]
    return [
        (CODES, OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan), few),
        ("ranks", OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), many),
        ("numeric", "passthrough", [column.name for column in schema.numeric]),
    ]


def to_frame(schema: Schema, rows: Features) -> pd.DataFrame:
    """Return `rows` as the data frame that a pipeline of `build_pipeline` takes."""
    numbers = {column.name: rows.numeric[:, place] for place, column in enumerate(schema.numeric)}
    texts = {column.name: rows.categorical[:, place] for place, column in enumerate(schema.categorical)}
    return pd.DataFrame({**numbers, **texts})[[column.name for column in schema.features]]

"""What can be exported exactly: steps, parameters and the shape of a pipeline. All else is refused."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from src.errors import ExportError
from src.export import steps
from src.export.families.family import Family
from src.export.families.registry import family_of
from src.export.graph import Graph
from src.schema.columns import NumericColumn, Schema

Add = Callable[[Graph, str, Any], str]

NUMERIC_STEPS: dict[type, Add] = {SimpleImputer: steps.impute, StandardScaler: steps.scale}
CATEGORY_STEPS: dict[type, Add] = {OneHotEncoder: steps.one_hot, OrdinalEncoder: steps.codes}

# What a parameter must be; those not named change nothing, or the export reads what they led to.
_PARAMETERS: dict[type, dict[str, tuple[Any, ...]]] = {
    Pipeline: {"memory": (None,), "transform_input": (None,)},
    ColumnTransformer: {"remainder": ("drop",), "sparse_threshold": (0,), "transformer_weights": (None,)},
    SimpleImputer: {"missing_values": (np.nan,), "strategy": ("median", "constant")},
    OneHotEncoder: {
        "handle_unknown": ("ignore",),
        "drop": (None,),
        "min_frequency": (None,),
        "max_categories": (None,),
        "dtype": (np.float64,),
    },
    OrdinalEncoder: {
        "handle_unknown": ("use_encoded_value",),
        "unknown_value": (np.nan, -1),
        "min_frequency": (None,),
        "max_categories": (None,),
        "dtype": (np.float64,),
    },
}


class Branch(NamedTuple):
    """One transformer of the preprocessing: the columns it takes and the steps they go through."""

    name: str
    numeric: bool
    columns: tuple[str, ...]
    steps: tuple[Any, ...]


def check_pipeline(pipeline: Pipeline, schema: Schema) -> None:
    """Raise ExportError, before anything is fitted, when `pipeline` has no exact export."""
    _check_part("pipeline", pipeline, (Pipeline,))
    if [name for name, _ in pipeline.steps] != ["preprocess", "model"]:
        names = ", ".join(name for name, _ in pipeline.steps)
        raise ExportError(f"pipeline: its steps are {names}; allowed: preprocess, model")
    preprocess = pipeline.named_steps["preprocess"]
    _check_part("preprocess", preprocess, (ColumnTransformer,))
    family = family_of(pipeline.named_steps["model"])
    parts = branches(preprocess.transformers, schema)
    for part in parts:
        _check_fits(part, family, schema)
    used = [name for part in parts for name in part.columns]
    known = [column.name for column in schema.features]
    if sorted(used) != sorted(known):
        raise ExportError(f"preprocess: takes {', '.join(used)}; allowed: each of {', '.join(known)}, once")


def branches(transformers: Iterable[tuple[str, Any, Any]], schema: Schema) -> list[Branch]:
    """Return the checked parts of a ColumnTransformer's `transformers`, fitted or not."""
    columns = {column.name: column for column in schema.features}
    found = []
    for name, part, wanted in transformers:
        where = f"preprocess.{name}"
        if not isinstance(wanted, (list, tuple)) or not wanted or not set(wanted) <= columns.keys():
            raise ExportError(f"{where}: takes {wanted!r}; allowed: a list of the schema's columns")
        kinds = {isinstance(columns[column], NumericColumn) for column in wanted}
        if len(kinds) > 1:
            raise ExportError(f"{where}: takes numbers and categories; allowed: one or the other")
        numeric = kinds.pop()
        path = _path(where, part, NUMERIC_STEPS if numeric else CATEGORY_STEPS)
        if not numeric and len(path) != 1:
            raise ExportError(f"{where}: passes categories through; allowed: one OneHotEncoder")
        found.append(Branch(name, numeric, tuple(wanted), path))
    return found


def _check_fits(branch: Branch, family: Family[Any], schema: Schema) -> None:
    """Raise ExportError unless the family takes what `branch` makes of missing numbers and of texts."""
    where = f"preprocess.{branch.name}"
    nullable = {column.name for column in schema.numeric if column.nullable}
    filled = SimpleImputer in [type(step) for step in branch.steps] or family.native
    if not filled and (gaps := [column for column in branch.columns if column in nullable]):
        raise ExportError(f"{where}: {gaps[0]} has missing values; allowed: with a SimpleImputer")
    encoder = OrdinalEncoder if family.native else OneHotEncoder
    if not branch.numeric and type(branch.steps[0]) is not encoder:
        found = type(branch.steps[0]).__name__
        raise ExportError(f"{where}: {family.name} takes no {found}; allowed: {encoder.__name__}")


def fitted_branches(preprocess: ColumnTransformer, schema: Schema) -> list[Branch]:
    """Return the parts of a fitted ColumnTransformer; scikit-learn turns "passthrough" into a function."""
    fitted = [
        (name, given if isinstance(given, str) else preprocess.named_transformers_[name], columns)
        for name, given, columns in preprocess.transformers
    ]
    return branches(fitted, schema)


def _path(where: str, part: Any, allowed: Mapping[type, Add]) -> tuple[Any, ...]:
    if isinstance(part, str) and part == "passthrough":
        return ()
    if type(part) is not Pipeline:
        _check_part(where, part, allowed)
        return (part,)
    _check_part(where, part, (Pipeline,))
    for name, step in part.steps:
        _check_part(f"{where}.{name}", step, allowed)
    return tuple(step for _, step in part.steps)


def _check_part(where: str, part: Any, allowed: Iterable[type]) -> None:
    kind = type(part)
    if kind not in allowed:
        names = ", ".join(one.__name__ for one in allowed)
        raise ExportError(f"{where}: {kind.__name__} has no exact export; allowed: {names}")
    for name, values in _PARAMETERS.get(kind, {}).items():
        value = getattr(part, name)
        if not any(_same(value, one) for one in values):
            options = " or ".join(repr(one) for one in values)
            raise ExportError(f"{where}: {kind.__name__}({name}={value!r}); allowed: {name}={options}")


def _same(left: Any, right: Any) -> bool:
    both_nan = isinstance(left, float) and isinstance(right, float) and left != left and right != right
    return type(left) is type(right) and left == right or left is right or both_nan

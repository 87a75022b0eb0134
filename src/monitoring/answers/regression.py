"""The numbers that training's rows got, in bins: what the drift of predictions is measured against."""

from prometheus_client.core import GaugeMetricFamily

from src.monitoring.answers.classification import reference as reference_of_names
from src.monitoring.bins import NumericProfile, bin_names, check_numeric, numeric_profile
from src.runtime.answers.regression import Predictions
from src.schema.columns import Schema


def distribution(schema: Schema, predictions: Predictions) -> NumericProfile:
    """Return how `predictions` are distributed."""
    return numeric_profile(predictions.values)


def check(found: object, schema: Schema) -> None:
    """Raise ValueError unless `found` is a distribution of numbers."""
    if not isinstance(found, NumericProfile):
        raise ValueError("are not those of numbers")
    check_numeric(found)


def reference(version: str, found: NumericProfile) -> GaugeMetricFamily:
    """Return `found`, of the model `version`, as a metric: its bins stand where classes do."""
    return reference_of_names(version, dict(zip(bin_names(found), found.shares, strict=True)))

"""The classes that training's rows got: what the drift of predicted classes is measured against."""

from collections.abc import Mapping

import numpy as np
from prometheus_client.core import GaugeMetricFamily

from src.bundle.limits import check_shares
from src.runtime.answers.classification import Predictions
from src.schema.columns import Schema


def distribution(schema: Schema, predictions: Predictions) -> dict[str, float]:
    """Return the share of `predictions` that each class has."""
    counts = np.bincount(predictions.labels, minlength=len(schema.classes))
    return dict(zip(schema.classes, (counts / counts.sum()).tolist(), strict=True))


def check(found: object, schema: Schema) -> None:
    """Raise ValueError unless `found` has the share of each of the schema's classes."""
    if not isinstance(found, dict) or found.keys() != set(schema.classes):
        raise ValueError("are not those of the classes of schema.json")
    check_shares(found.values())


def reference(version: str, shares: Mapping[str, float]) -> GaugeMetricFamily:
    """Return `shares`, of the model `version`, as a metric."""
    family = GaugeMetricFamily(
        "model_class_reference_share",
        "Share of the training's rows that got the class.",
        labels=["version", "predicted_class"],
    )
    for label, share in shares.items():
        family.add_metric([version, label], share)
    return family

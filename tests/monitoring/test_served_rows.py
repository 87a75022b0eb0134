"""A model in service counts the rows it answers, for as long as it is in service."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from src.bundle.bundle import Bundle, dump_json
from src.monitoring.profile import profile
from src.runtime.answers.classification import Predictions
from src.schema.features import Features
from src.serving.loaded_model import LoadedModel
from src.serving.metrics import Metrics
from tests.conftest import FixedRuntime

ROWS = Features(np.array([[5.0, 3.0, 1.0, 0.2], [6.0, 3.0, 4.0, 1.2]]), np.empty((2, 0), dtype=object))


def bundle_of(make_bundle: Callable[..., Bundle], version: str) -> Bundle:
    bundle = make_bundle(version=version)
    trained = profile(bundle.schema, ROWS, Predictions(np.array([0, 1]), np.empty((2, 3))))
    return replace(bundle, profile=json.loads(dump_json(trained.model_dump(mode="json"))))


def lines(metrics: Metrics, start: str) -> list[str]:
    metrics.flush()
    return [line for line in metrics.render().decode().splitlines() if line.startswith(start)]


def test_rows_are_counted_one_by_one_and_in_batches(make_bundle: Callable[..., Bundle]) -> None:
    metrics = Metrics()
    served = LoadedModel(bundle_of(make_bundle, "7"), FixedRuntime(1.0, 0.0, 0.0), metrics, 100)

    served.answer(Features(ROWS.numeric[:1], ROWS.categorical[:1]))
    served.answer_all(ROWS)

    assert sorted(lines(metrics, 'model_feature_rows_total{bin="0')) == [
        'model_feature_rows_total{bin="00 0.2 to 1.2",feature="petal_width",version="7"} 2.0',
        'model_feature_rows_total{bin="00 1 to 4",feature="petal_length",version="7"} 2.0',
        'model_feature_rows_total{bin="00 3 to 3",feature="sepal_width",version="7"} 3.0',
        'model_feature_rows_total{bin="00 5 to 6",feature="sepal_length",version="7"} 2.0',
        'model_feature_rows_total{bin="01 1.2 to 1.2",feature="petal_width",version="7"} 1.0',
        'model_feature_rows_total{bin="01 4 to 4",feature="petal_length",version="7"} 1.0',
        'model_feature_rows_total{bin="01 6 to 6",feature="sepal_length",version="7"} 1.0',
    ]
    assert lines(metrics, 'model_feature_reference_share{bin="00 5') == [
        'model_feature_reference_share{bin="00 5 to 6",feature="sepal_length",version="7"} 0.5'
    ]


def test_a_model_that_left_takes_its_counts_along(make_bundle: Callable[..., Bundle]) -> None:
    metrics = Metrics()
    for version in ("7", "8"):
        LoadedModel(bundle_of(make_bundle, version), FixedRuntime(1.0, 0.0, 0.0), metrics, 100).answer_all(
            ROWS
        )

    counted = lines(metrics, "model_feature_rows_total{") + lines(metrics, "model_feature_reference_share{")

    assert len(counted) == 2 * (5 + 4 + 5 + 5)
    assert all('version="8"' in line for line in counted)


IMPORTANCES = {"sepal_length": 0.1, "sepal_width": 0.0, "petal_length": 0.3, "petal_width": 0.4}


@pytest.mark.parametrize(
    ("importances", "most", "expected"),
    [
        (IMPORTANCES, 200, set(IMPORTANCES)),
        (IMPORTANCES, 4, set(IMPORTANCES)),
        (IMPORTANCES, 2, {"petal_width", "petal_length"}),
        (IMPORTANCES, 0, set()),
        ({}, 1, {"sepal_length"}),
        (None, 1, {"sepal_length"}),
        ("none", 1, {"sepal_length"}),
        (
            {"sepal_width": "much", "petal_length": True, "petal_width": 1e-9, "sepal_length": None},
            1,
            {"petal_width"},
        ),
    ],
)
def test_of_many_features_those_of_the_most_important_columns_are_watched(
    make_bundle: Callable[..., Bundle], importances: Any, most: int, expected: set[str]
) -> None:
    bundle = bundle_of(make_bundle, "7")
    bundle = replace(bundle, metrics={**bundle.metrics, "importances": importances})
    metrics = Metrics(most)
    served = LoadedModel(bundle, FixedRuntime(1.0, 0.0, 0.0), metrics, 100)

    served.answer(Features(ROWS.numeric[:1], ROWS.categorical[:1]))
    served.answer_all(ROWS)

    counted = lines(metrics, "model_feature_rows_total{")
    reference = lines(metrics, "model_feature_reference_share{")
    for found in (counted, reference):
        assert {re.findall('feature="(.*?)"', line)[0] for line in found} == expected
    total = sum(float(line.rsplit(" ", 1)[1]) for line in counted)
    assert total == 3 * len(expected)

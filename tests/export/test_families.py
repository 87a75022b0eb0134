"""What holds for every model family of the registry, so for the next one too."""

from typing import Any

import numpy as np
import onnx
import pytest

from src.errors import ExportError
from src.export.families.family import Family
from src.export.families.registry import FAMILIES, build, family_of
from src.export.parity import check_parity, edge_rows
from src.runtime.answers.classification import outputs
from src.runtime.inspection import inspect
from tests.families import example
from tests.fitted import Fitted, fit, iris_table, mixed_table

SEED = 3

every_family = pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)


def compare(fitted: Fitted, family: Family[Any], count: int) -> None:
    edges = edge_rows(fitted.pipeline, fitted.schema, count, SEED)
    for rows in (fitted.rows, edges):
        report = check_parity(fitted.pipeline, fitted.model, fitted.schema, rows, exact=family.exact)
        assert report.rows == len(rows.numeric)


@every_family
@pytest.mark.parametrize("classes", [2, 5])
def test_a_family_answers_as_scikit_learn_on_a_table_of_every_kind(family: Family[Any], classes: int) -> None:
    fitted = fit(*mixed_table(300, classes, SEED), build(example(family), SEED))

    compare(fitted, family, 3_000)


@every_family
def test_a_family_answers_as_scikit_learn_on_iris(family: Family[Any]) -> None:
    fitted = fit(*iris_table(), build(example(family), SEED))

    compare(fitted, family, 20_000)


@every_family
def test_a_family_is_found_by_its_estimator(family: Family[Any]) -> None:
    model = build(example(family), SEED)

    assert type(model) is family.estimator
    assert family_of(model) is family


@every_family
def test_a_subclass_of_its_estimator_is_not_of_the_family(family: Family[Any]) -> None:
    subclass = type("Own", (family.estimator,), {})

    with pytest.raises(ExportError, match="^model: Own has no exact export; allowed: "):
        family_of(subclass())


@every_family
def test_the_same_parameters_and_seed_give_the_same_bytes(family: Family[Any]) -> None:
    first, second = (fit(*mixed_table(200, 3, SEED), build(example(family), SEED)).model for _ in range(2))

    assert first == second


@every_family
def test_a_family_that_draws_takes_the_seed(family: Family[Any]) -> None:
    assert build(example(family), 7).get_params().get("random_state", 7) == 7


@every_family
def test_the_number_of_threads_changes_nothing(family: Family[Any]) -> None:
    many = build(example(family), SEED)
    assert many.get_params().get("n_jobs") == (-1 if family.parallel else None)
    one = build(example(family), SEED)
    family.use_one_thread(one)
    assert one.get_params().get("n_jobs") is None

    alone, together = (fit(*mixed_table(200, 3, SEED), model) for model in (one, many))

    assert alone.model == together.model


@every_family
def test_the_graph_is_valid_and_passes_the_inspection_of_the_runtime(family: Family[Any]) -> None:
    fitted = fit(*mixed_table(200, 3, SEED), build(example(family), SEED))

    onnx.checker.check_model(onnx.load_from_string(fitted.model), full_check=True)
    assert inspect(fitted.model, outputs(fitted.schema)) > 0


@every_family
def test_thresholds_are_of_columns_of_the_matrix_and_ascend(family: Family[Any]) -> None:
    fitted = fit(*mixed_table(200, 3, SEED), build(example(family), SEED))
    model = fitted.pipeline.named_steps["model"]

    found = family.thresholds(model)

    assert set(found) <= set(range(model.n_features_in_))
    assert all(len(values) and (np.diff(values) > 0).all() for values in found.values())


def test_a_name_and_an_estimator_are_of_one_family() -> None:
    assert len({family.name for family in FAMILIES}) == len(FAMILIES)
    assert len({family.estimator for family in FAMILIES}) == len(FAMILIES)
    assert [family.name for family in FAMILIES[:3]] == ["random_forest", "extra_trees", "logistic_regression"]

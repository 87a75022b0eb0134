"""What holds for every model family of the registry, so for the next one too."""

from typing import Any

import numpy as np
import onnx
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from src.errors import ConfigError, ExportError
from src.export.families.family import Family
from src.export.families.registry import FAMILIES, build, family_of, form_of
from src.export.parity import check_parity, edge_rows
from src.runtime.inspection import inspect
from src.tasks import TaskName, side
from tests.families import CASES, Case, every_case, example
from tests.fitted import Fitted, fit, iris_table, mixed_table

SEED = 3


def compare(fitted: Fitted, case: Case, count: int) -> None:
    edges = edge_rows(fitted.pipeline, fitted.schema, count, SEED)
    for rows in (fitted.rows, edges):
        report = check_parity(fitted.pipeline, fitted.model, fitted.schema, rows, exact=case.form.exact)
        assert report.rows == len(rows.numeric)


def made(case: Case, seed: int = SEED) -> Any:
    return build(example(case.family), case.task, seed)


def fitted_to(case: Case, rows: int, model: Any = None) -> Fitted:
    classes = 3 if case.task == "classification" else 0
    return fit(*mixed_table(rows, classes, SEED), made(case) if model is None else model)


@every_case
@pytest.mark.parametrize("classes", [2, 5])
def test_a_family_answers_as_scikit_learn_on_a_table_of_every_kind(case: Case, classes: int) -> None:
    table, target = mixed_table(300, classes if case.task == "classification" else 0, SEED + classes)

    compare(fit(table, target, made(case)), case, 3_000)


@every_case
def test_a_family_answers_as_scikit_learn_on_iris(case: Case) -> None:
    table, target = iris_table()
    if case.task == "regression":
        table, target = table.drop(columns=target), table.columns[0]

    compare(fit(table, target, made(case)), case, 20_000)


@pytest.mark.parametrize(
    "family", [one for one in FAMILIES if "classification" in one.forms], ids=lambda one: one.name
)
@pytest.mark.parametrize("classes", [2, 5])
def test_balanced_classes_are_fitted_and_answered_alike(family: Family[Any], classes: int) -> None:
    case = Case(family, "classification")
    table, target = mixed_table(400, classes, SEED)
    rare = table[target].value_counts().index[0]
    few = table[target] != rare
    few[np.flatnonzero(~few)[:8]] = True
    table = table[few].reset_index(drop=True)
    models = [build(example(family, class_weight=weight), case.task, SEED) for weight in (None, "balanced")]

    plain, balanced = (fit(table, target, model) for model in models)

    compare(balanced, case, 3_000)
    assert plain.model != balanced.model


def test_regression_has_no_classes_to_balance() -> None:
    with pytest.raises(ConfigError, match="train.class_weight: regression has no classes; leave it out"):
        build(example(FAMILIES[0], class_weight="balanced"), "regression", SEED)


def test_options_left_at_none_are_not_recorded() -> None:
    assert example(FAMILIES[0]).recorded() == {"model": "random_forest", "n_estimators": 200, "max_depth": 10}
    assert example(FAMILIES[0], max_depth=None, class_weight="balanced").recorded() == {
        "model": "random_forest",
        "n_estimators": 200,
        "max_depth": None,
        "class_weight": "balanced",
    }


@every_case
def test_a_family_is_found_by_its_estimator(case: Case) -> None:
    model = made(case)

    assert type(model) is case.form.estimator
    assert family_of(model) is case.family
    assert form_of(model) is case.form


@every_case
def test_a_subclass_of_its_estimator_is_not_of_the_family(case: Case) -> None:
    subclass = type("Own", (case.form.estimator,), {})

    with pytest.raises(ExportError, match="^model: Own has no exact export; allowed: "):
        family_of(subclass())


@every_case
def test_the_same_parameters_and_seed_give_the_same_bytes(case: Case) -> None:
    first, second = (fitted_to(case, 200).model for _ in range(2))

    assert first == second


@every_case
def test_a_family_that_draws_takes_the_seed(case: Case) -> None:
    assert made(case, 7).get_params().get("random_state", 7) == 7


@every_case
def test_the_number_of_threads_changes_nothing(case: Case) -> None:
    many, one = made(case), made(case)
    assert many.get_params().get("n_jobs") == (-1 if case.family.parallel else None)
    case.family.use_one_thread(one)
    assert one.get_params().get("n_jobs") is None

    alone, together = (fitted_to(case, 200, model) for model in (one, many))

    assert alone.model == together.model


@every_case
def test_the_graph_is_valid_and_passes_the_inspection_of_the_runtime(case: Case) -> None:
    fitted = fitted_to(case, 200)

    onnx.checker.check_model(onnx.load_from_string(fitted.model), full_check=True)
    outputs = side("src.runtime.answers", case.task).outputs(fitted.schema)
    assert inspect(fitted.model, outputs) > 0


@every_case
def test_thresholds_are_of_columns_of_the_matrix_and_ascend(case: Case) -> None:
    model = fitted_to(case, 200).pipeline.named_steps["model"]

    found = case.family.thresholds(model)

    assert set(found) <= set(range(model.n_features_in_))
    assert all(len(values) and (np.diff(values) > 0).all() for values in found.values())


def test_a_name_and_an_estimator_are_of_one_family() -> None:
    estimators = [case.form.estimator for case in CASES]

    assert len({family.name for family in FAMILIES}) == len(FAMILIES)
    assert len(set(estimators)) == len(estimators)
    assert [family.name for family in FAMILIES[:3]] == ["random_forest", "extra_trees", "logistic_regression"]


@pytest.mark.parametrize(
    ("name", "task"), [("logistic_regression", "regression"), ("ridge", "classification")]
)
def test_a_family_that_cannot_do_the_task_names_those_that_can(name: str, task: TaskName) -> None:
    [family] = (family for family in FAMILIES if family.name == name)
    able = ", ".join(one.name for one in FAMILIES if task in one.forms)

    with pytest.raises(ConfigError) as error:
        build(example(family), task, 0)

    assert str(error.value) == f"params.yaml: train.model: {name} does no {task}; allowed: {able}"


@pytest.mark.parametrize("classes", [0, 2, 4])
@pytest.mark.parametrize("categories", [33, 64, 65, 253, 254, 255, 400])
def test_boosting_takes_any_number_of_categories(categories: int, classes: int) -> None:
    random = np.random.default_rng(categories)
    rows = 4 * categories + 600
    table = pd.DataFrame({"text": random.permutation(np.arange(rows) % categories).astype(str)})
    table["text"] = "t" + table["text"]
    table["x"] = random.normal(size=rows)
    signal = table["text"].str[1:].astype(int) % 5 + table["x"] + random.normal(size=rows) / 3
    names = [f"class {place}" for place in range(classes)]
    table["y"] = pd.qcut(signal, classes, labels=names).astype(str) if classes else signal
    table.loc[random.random(rows) < 0.1, "text"] = None
    table.loc[random.random(rows) < 0.1, "x"] = None
    kind = HistGradientBoostingClassifier if classes else HistGradientBoostingRegressor
    fitted = fit(table, "y", kind(max_iter=15, early_stopping=False, random_state=0))

    codes = {name for name, _, _ in fitted.pipeline[0].transformers} & {"codes", "ranks"}
    assert codes == ({"codes"} if categories < 255 else {"ranks"})
    for asked in (fitted.rows, edge_rows(fitted.pipeline, fitted.schema, 2_000, SEED)):
        check_parity(fitted.pipeline, fitted.model, fitted.schema, asked, exact=not classes)

"""The exported model answers as scikit-learn does: forests to the bit, others within rounding."""

import warnings
from typing import Any

import numpy as np
import onnx
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_digits
from sklearn.ensemble import ExtraTreesClassifier, GradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, StandardScaler

from src.errors import ExportError
from src.export.export import export
from src.export.families.registry import form_of
from src.export.parity import check_parity, edge_rows
from src.export.pipeline import build_pipeline, to_frame
from src.export.supported import check_pipeline
from src.runtime.answers.classification import outputs
from src.runtime.inspection import inspect
from src.runtime.session import open_model
from src.schema.columns import Schema
from src.tables.infer import infer
from tests.families import CASES
from tests.fitted import Fitted, fit, iris_table, mixed_table

FORESTS = (RandomForestClassifier, ExtraTreesClassifier)


def compare(fitted: Fitted, count: int, seed: int = 0) -> float:
    """Return the largest difference on the training rows and on `count` edge rows."""
    exact = form_of(fitted.pipeline.named_steps["model"]).exact
    edges = edge_rows(fitted.pipeline, fitted.schema, count, seed)
    reports = [
        check_parity(fitted.pipeline, fitted.model, fitted.schema, rows, exact=exact)
        for rows in (fitted.rows, edges)
    ]
    assert [report.rows for report in reports] == [len(fitted.rows.numeric), count]
    return max(report.largest_difference for report in reports)


@pytest.mark.parametrize("forest", FORESTS)
@pytest.mark.parametrize("depth", [10, None])
def test_iris_forests_are_equal_to_the_bit(forest: Any, depth: int | None) -> None:
    fitted = fit(*iris_table(), forest(200, max_depth=depth, random_state=42))

    assert compare(fitted, 20_000) == 0


@pytest.mark.parametrize("forest", FORESTS)
@pytest.mark.parametrize("classes", [2, 5])
def test_forests_on_mixed_tables_are_equal_to_the_bit(forest: Any, classes: int) -> None:
    for seed in range(3):
        fitted = fit(*mixed_table(400, classes, seed), forest(30, random_state=seed))

        assert compare(fitted, 3_000, seed) == 0


def test_a_forest_of_many_trees_and_classes_is_added_in_scikit_learns_order() -> None:
    digits = load_digits(as_frame=True)
    forest = RandomForestClassifier(600, max_depth=8, random_state=0, n_jobs=2)

    fitted = fit(digits.frame, "target", forest)

    assert compare(fitted, 500) == 0


@pytest.mark.parametrize("classes", [2, 5])
@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_logistic_regression_is_within_rounding(classes: int, scale: float) -> None:
    table, target = mixed_table(500, classes)
    table["amount"] *= scale

    fitted = fit(table, target, LogisticRegression(max_iter=2_000))

    assert compare(fitted, 5_000) <= 1e-14


def test_logistic_regression_of_categories_alone() -> None:
    table, target = mixed_table(200, 2)

    fitted = fit(table[["letter", target]], target, LogisticRegression())

    assert compare(fitted, 100) <= 1e-14


@pytest.mark.parametrize("forest", FORESTS)
def test_exact_ties_go_to_the_first_class(forest: Any) -> None:
    table = pd.DataFrame({"x": [0.0, 1.0] * 8, "y": ["no", "yes", "yes", "no"] * 4})
    fitted = fit(table, "y", forest(2, bootstrap=False, random_state=0))

    answers = open_model(fitted.model, fitted.schema).predict(fitted.rows)

    assert answers.scores.tolist() == [[0.5, 0.5]] * 16
    assert answers.labels.tolist() == [0] * 16
    assert compare(fitted, 100) == 0


def test_even_votes_are_among_the_edge_rows() -> None:
    fitted = fit(*iris_table(), RandomForestClassifier(20, max_depth=10, random_state=42))

    rows = edge_rows(fitted.pipeline, fitted.schema, 20_000, seed=0)

    scores = np.sort(open_model(fitted.model, fitted.schema).predict(rows).scores, axis=1)
    assert (scores[:, -1] == scores[:, -2]).sum() > 50
    assert compare(fitted, 20_000) == 0


def test_trees_of_one_leaf() -> None:
    table = pd.DataFrame({"x": [1.0, 2.0, 3.0, 4.0], "y": ["no", "yes", "yes", "yes"]})
    fitted = fit(table, "y", RandomForestClassifier(3, min_samples_split=100, random_state=0))

    assert compare(fitted, 100) == 0


def test_a_column_that_was_empty_at_fit() -> None:
    table, target = mixed_table(100, 2)
    schema = infer(table, target, {})
    rows = fit(table, target, RandomForestClassifier(3, random_state=0)).rows
    rows.numeric[:, 3] = np.nan
    pipeline = build_pipeline(schema, RandomForestClassifier(10, random_state=0))
    pipeline.fit(to_frame(schema, rows), table[target].to_numpy())

    fitted = Fitted(pipeline, export(pipeline, schema), schema, rows)

    assert compare(fitted, 1_000) == 0


def test_a_nullable_column_without_a_gap_at_fit() -> None:
    table, target = mixed_table(100, 2)
    schema = infer(table, target, {})
    rows = fit(table, target, RandomForestClassifier(3, random_state=0)).rows
    rows.numeric[np.isnan(rows.numeric)] = 1.5
    pipeline = build_pipeline(schema, LogisticRegression(max_iter=1_000))
    pipeline.fit(to_frame(schema, rows), table[target].to_numpy())

    fitted = Fitted(pipeline, export(pipeline, schema), schema, rows)

    assert compare(fitted, 1_000) <= 1e-14


@pytest.mark.filterwarnings("ignore:invalid value encountered in reduce")  # scikit-learn adds 1e38 to itself
@settings(max_examples=25)
@given(st.data())
def test_forests_on_any_small_table_are_equal_to_the_bit(data: st.DataObject) -> None:
    size = data.draw(st.integers(4, 25))
    numbers = st.one_of(
        st.none(),
        st.integers(-3, 3).map(float),
        st.floats(-(2.0**127), 2.0**127, width=32),
        st.floats(-1, 1),
    )
    texts = st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs"]), max_size=3))
    table = pd.DataFrame(
        {
            "number": pd.Series(
                [0.5, *data.draw(st.lists(numbers, min_size=size, max_size=size))], dtype=float
            ),
            "text": ["x", *data.draw(st.lists(texts, min_size=size, max_size=size))],
            "outcome": [
                "p",
                *data.draw(st.lists(st.sampled_from("pqr"), min_size=size - 1, max_size=size - 1)),
                "q",
            ],
        }
    )
    forest = data.draw(st.sampled_from(FORESTS))

    fitted = fit(table, "outcome", forest(data.draw(st.integers(1, 7)), random_state=0))

    assert compare(fitted, 100) == 0


@pytest.mark.parametrize(
    "estimator", [*(forest(9, random_state=1) for forest in FORESTS), LogisticRegression()]
)
def test_the_same_fit_gives_the_same_bytes(estimator: Any) -> None:
    first, second = (fit(*iris_table(), estimator).model for _ in range(2))

    assert first == second


def test_the_model_is_valid_onnx(small_forest: Fitted, small_logistic: Fitted) -> None:
    for fitted in (small_forest, small_logistic):
        model = onnx.load_from_string(fitted.model)
        onnx.checker.check_model(model, full_check=True)

        assert model.ir_version == 10
        assert [(one.domain, one.version) for one in model.opset_import] == [("", 20), ("ai.onnx.ml", 5)]
        assert [one.name for one in model.graph.input] == ["numeric", "categorical"]
        assert [one.name for one in model.graph.output] == ["label", "scores"]
        assert inspect(fitted.model, outputs(fitted.schema)) > 0


def test_the_whole_declared_set_in_another_order() -> None:
    table, target = mixed_table(300, 3)
    schema = infer(table, target, {})
    rows = fit(table, target, RandomForestClassifier(3, random_state=0)).rows
    constant = SimpleImputer(strategy="constant", fill_value=-1.0)
    preprocess = ColumnTransformer(
        [
            ("level", Pipeline([("codes", OneHotEncoder(handle_unknown="ignore"))]), ["level"]),
            ("gaps", Pipeline([("scale", StandardScaler(with_mean=False)), ("fill", constant)]), ["grid"]),
            ("plain", Pipeline([("scale", StandardScaler(with_std=False))]), ["flag", "amount"]),
            ("letter", OneHotEncoder(handle_unknown="ignore"), ["letter"]),
            ("filled", constant, ["often_missing"]),
            ("count", "passthrough", ["count"]),
        ],
        sparse_threshold=0,
    )
    pipeline = Pipeline([("preprocess", preprocess), ("model", RandomForestClassifier(20, random_state=0))])
    pipeline.fit(to_frame(schema, rows), table[target].to_numpy())

    fitted = Fitted(pipeline, export(pipeline, schema), schema, rows)

    assert compare(fitted, 3_000) == 0


def test_building_warns_of_nothing() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted = fit(*mixed_table(100, 2), RandomForestClassifier(3, random_state=0))
        compare(fitted, 100)


class OwnForest(RandomForestClassifier):
    """A subclass may answer in its own way."""


def pipeline_of(*transformers: Any, model: Any = None, **options: Any) -> Pipeline:
    columns = ColumnTransformer(transformers, **{"sparse_threshold": 0, **options})
    return Pipeline(
        [("preprocess", columns), ("model", RandomForestClassifier() if model is None else model)]
    )


@pytest.fixture
def mixed_schema() -> Schema:
    table, target = mixed_table(50, 2)
    return infer(table[["amount", "grid", "letter", target]], target, {})


AMOUNT = ("amount", "passthrough", ["amount"])
GRID = ("grid", SimpleImputer(strategy="median"), ["grid"])
LETTER = ("letter", OneHotEncoder(handle_unknown="ignore"), ["letter"])


@pytest.mark.parametrize(
    ("pipeline", "message"),
    [
        (RandomForestClassifier(), "pipeline: RandomForestClassifier has no exact export; allowed: Pipeline"),
        (Pipeline([("model", OwnForest())]), "pipeline: its steps are model; allowed: preprocess, model"),
        (
            Pipeline([("preprocess", StandardScaler()), ("model", LogisticRegression())]),
            "preprocess: StandardScaler has no exact export; allowed: ColumnTransformer",
        ),
        (
            pipeline_of(AMOUNT, GRID, LETTER, model=OwnForest()),
            "model: OwnForest has no exact export; "
            f"allowed: {', '.join(case.form.estimator.__name__ for case in CASES)}",
        ),
        (
            pipeline_of(AMOUNT, GRID, LETTER, remainder="passthrough"),
            "preprocess: ColumnTransformer(remainder='passthrough'); allowed: remainder='drop'",
        ),
        (
            pipeline_of(AMOUNT, GRID, LETTER, sparse_threshold=0.3),
            "preprocess: ColumnTransformer(sparse_threshold=0.3); allowed: sparse_threshold=0",
        ),
        (
            pipeline_of(AMOUNT, LETTER),
            "preprocess: takes amount, letter; allowed: each of amount, grid, letter, once",
        ),
        (
            pipeline_of(AMOUNT, GRID, LETTER, AMOUNT),
            "preprocess: takes amount, grid, letter, amount; allowed: each of amount, grid, letter, once",
        ),
        (
            pipeline_of(("amount", MinMaxScaler(), ["amount"]), GRID, LETTER),
            "preprocess.amount: MinMaxScaler has no exact export; allowed: SimpleImputer, StandardScaler",
        ),
        (
            pipeline_of(AMOUNT, ("grid", "passthrough", ["grid"]), LETTER),
            "preprocess.grid: grid has missing values; allowed: with a SimpleImputer",
        ),
        (
            pipeline_of(AMOUNT, ("grid", SimpleImputer(strategy="mean"), ["grid"]), LETTER),
            "preprocess.grid: SimpleImputer(strategy='mean'); allowed: strategy='median' or 'constant'",
        ),
        (
            pipeline_of(
                AMOUNT, ("grid", SimpleImputer(strategy="median", missing_values=-1), ["grid"]), LETTER
            ),
            "preprocess.grid: SimpleImputer(missing_values=-1); allowed: missing_values=nan",
        ),
        (
            pipeline_of(AMOUNT, ("grid", Pipeline([("bins", MinMaxScaler())]), ["grid"]), LETTER),
            "preprocess.grid.bins: MinMaxScaler has no exact export; allowed: SimpleImputer, StandardScaler",
        ),
        (
            pipeline_of(AMOUNT, GRID, ("letter", OneHotEncoder(), ["letter"])),
            "preprocess.letter: OneHotEncoder(handle_unknown='error'); allowed: handle_unknown='ignore'",
        ),
        (
            pipeline_of(AMOUNT, GRID, ("letter", "passthrough", ["letter"])),
            "preprocess.letter: passes categories through; allowed: one OneHotEncoder",
        ),
        (
            pipeline_of(("both", "passthrough", ["amount", "letter"]), GRID),
            "preprocess.both: takes numbers and categories; allowed: one or the other",
        ),
        (
            pipeline_of(("amount", "passthrough", [0]), GRID, LETTER),
            "preprocess.amount: takes [0]; allowed: a list of the schema's columns",
        ),
    ],
)
def test_what_has_no_exact_form_is_refused_before_it_is_fitted(
    pipeline: Any, message: str, mixed_schema: Schema
) -> None:
    with pytest.raises(ExportError) as caught:
        check_pipeline(pipeline, mixed_schema)

    assert str(caught.value) == message


def test_the_pipeline_of_an_unknown_model_is_not_built(mixed_schema: Schema) -> None:
    with pytest.raises(
        ExportError, match="^model: GradientBoostingClassifier has no exact export; allowed: "
    ):
        build_pipeline(mixed_schema, GradientBoostingClassifier())


def test_classes_that_are_not_the_schemas_are_refused(iris_forest: Fitted) -> None:
    schema = iris_forest.schema.model_copy(update={"classes": ("a", "b", "c")})

    with pytest.raises(ExportError, match=r"^model: classes are \[.*\]; allowed: \['a', 'b', 'c'\]$"):
        export(iris_forest.pipeline, schema)


def test_a_column_that_was_dropped_at_fit_is_refused() -> None:
    table, target = mixed_table(100, 2)
    schema = infer(table[["amount", "grid", target]], target, {})
    frame = table[["amount", "grid"]].assign(grid=np.nan)
    with pytest.warns(UserWarning, match="Skipping features without any observed values"):
        pipeline = pipeline_of(AMOUNT, GRID).fit(frame, table[target].to_numpy())

    with pytest.raises(ExportError, match="^SimpleImputer: a column was empty at fit"):
        export(pipeline, schema)


def test_a_category_that_is_not_text_is_refused() -> None:
    table, target = mixed_table(100, 2)
    schema = infer(table[["letter", target]], target, {})
    pipeline = pipeline_of(LETTER).fit(table[["letter"]].fillna(""), table[target].to_numpy())
    encoder = pipeline.named_steps["preprocess"].named_transformers_["letter"]
    encoder.categories_ = [np.array([1.0, 2.0])]

    with pytest.raises(ExportError, match="^OneHotEncoder: a category is not text"):
        export(pipeline, schema)


def test_trees_too_deep_to_load_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("src.export.families.ensemble.MAX_DEPTH", 2)

    with pytest.raises(ExportError, match="^model: its trees are 3 deep with .*; allowed: max_depth=2, "):
        fit(*iris_table(), RandomForestClassifier(5, max_depth=3, random_state=0))

from collections.abc import Callable

import numpy as np
import pytest

from src.errors import ParityError
from src.export.families.registry import FAMILIES
from src.params import Params
from src.runtime.session import open_model
from src.schema.features import to_features
from src.tables import frames
from src.tables.frames import Prepared
from src.training import fit as module
from src.training.fit import fit
from tests.families import CASES, Case, example
from tests.mixed import mixed_table

MakeParams = Callable[..., Params]


@pytest.fixture
def make_params() -> MakeParams:
    def make(model: str = "random_forest", **train: object) -> Params:
        """Return parameters that train the example of the family `model`, or a small forest."""
        [family] = [family for family in FAMILIES if family.name == model]
        small = {"n_estimators": 10, "max_depth": 6} if model == "random_forest" else {}
        data = {"name": "customers", "source": "customers.csv", "target": "bought", "drop": ["customer id"]}
        return Params.model_validate(
            {
                "data": {**data, "ranges": {}, "test_size": 0.25, "random_state": 3},
                "train": example(family, **{**small, **train}),
                "evaluate": {"min_accuracy": 0.5, "beat_baseline_by": 0.0},
            }
        )

    return make


@pytest.fixture
def prepared(make_params: MakeParams) -> Prepared:
    return frames.prepared(mixed_table().drop(columns="customer id"), make_params().data)


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.task == "classification"], ids=lambda case: case.family.name
)
def test_every_classifier_answers_as_scikit_learn_on_a_table_of_every_kind(
    make_params: MakeParams, prepared: Prepared, case: Case
) -> None:
    fitted = fit(prepared, make_params(case.family.name))

    assert type(fitted.pipeline[-1]) is case.form.estimator
    assert fitted.exact is case.form.exact
    assert fitted.interval is None
    assert fitted.pipeline[-1].get_params().get("n_jobs") is None
    rows = prepared.test[prepared.schema.names]
    answers = open_model(fitted.model, prepared.schema).predict(to_features(prepared.schema, prepared.test))
    names = [prepared.schema.classes[label] for label in answers.labels]
    assert names == fitted.pipeline.predict(rows).tolist()
    difference = np.abs(answers.scores - fitted.pipeline.predict_proba(rows)).max()
    assert difference == 0 if case.form.exact else difference <= 1e-12


def test_the_example_starts_with_a_row_of_each_class(make_params: MakeParams, prepared: Prepared) -> None:
    test = prepared.test.sort_values("bought")
    fitted = fit(prepared, make_params(max_depth=None))

    found = module.example(fitted.pipeline, prepared.schema, test)

    [first, second] = (test[test["bought"] == name].iloc[0]["age"] for name in ("no", "yes"))
    assert [row["age"] for row in found.rows[:2]] == [first, second]


def test_the_example_holds_values_as_a_request_spells_them(
    make_params: MakeParams, prepared: Prepared
) -> None:
    fitted = fit(prepared, make_params())

    example = fitted.example
    assert len(example.rows) == len(example.labels) == len(example.scores) == 5
    assert list(example.rows[0]) == ["age", "income", "city", "member", "newsletter"]
    kinds = {name: {type(row[name]) for row in example.rows} for name in example.rows[0]}
    assert kinds["age"] == {int}
    assert kinds["member"] == {bool}
    assert kinds["income"] <= {float, type(None)}
    assert kinds["city"] <= {str, type(None)}
    assert kinds["newsletter"] <= {bool, type(None)}
    columns = {name: [row[name] for row in example.rows] for name in example.rows[0]}
    answers = fitted.runtime.predict(to_features(prepared.schema, columns))
    assert tuple(map(tuple, answers.scores.tolist())) == example.scores


def test_the_profile_is_of_the_training_rows(make_params: MakeParams, prepared: Prepared) -> None:
    fitted = fit(prepared, make_params())

    assert fitted.profile.rows == len(prepared.train) == 180
    assert list(fitted.profile.features) == prepared.schema.names
    assert sum(fitted.profile.predictions.values()) == pytest.approx(1)


def test_a_model_that_answers_otherwise_is_refused(
    make_params: MakeParams, prepared: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = fit(prepared, make_params(n_estimators=9))
    monkeypatch.setattr(module, "export", lambda pipeline, schema: other.model)

    with pytest.raises(ParityError, match="the exported model differs from scikit-learn in"):
        fit(prepared, make_params())

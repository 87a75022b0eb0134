from typing import Any

import pytest

from src.errors import ConfigError
from src.evaluation import gate
from src.evaluation.gate import Gate
from src.params import EvaluateParams
from src.tasks import CLASSIFICATION, REGRESSION


def params(min_accuracy: float, beat_baseline_by: float, measure: str | None = None) -> EvaluateParams:
    return EvaluateParams(min_accuracy=min_accuracy, beat_baseline_by=beat_baseline_by, measure=measure)


def judge(measure: str, value: float, baseline: float, needed: EvaluateParams) -> Gate:
    task = CLASSIFICATION._replace(primary_measure=measure)
    return gate.judge(task, {measure: value}, {measure: baseline}, needed)


@pytest.mark.parametrize(
    ("accuracy", "baseline", "needed"),
    [
        (0.9, 0.5, params(0.9, 0.4)),
        (0.3, 0.2, params(0.0, 0.1)),  # 0.3 - 0.2 is a little less than 0.1
        (0.51, 0.5, params(0.5, 0.0)),
        (1.0, 0.0, params(1.0, 1.0)),
    ],
)
def test_a_model_that_reaches_what_is_needed_passes(
    accuracy: float, baseline: float, needed: EvaluateParams
) -> None:
    verdict = judge("accuracy", accuracy, baseline, needed)

    assert verdict.passed is True
    assert verdict.missed == ()


def test_a_model_that_is_not_accurate_enough_is_told_the_needed_value() -> None:
    verdict = judge("accuracy", 0.9, 0.5, params(0.95, 0.1))

    assert verdict.passed is False
    assert verdict.missed == ("accuracy is 0.9000, evaluate.min_accuracy needs 0.95",)


@pytest.mark.parametrize(
    ("accuracy", "lead", "needed"),
    [(0.55, "+0.0500", "+0.1"), (0.5, "+0.0000", "+0"), (0.45, "-0.0500", "+0.1")],
)
def test_a_model_that_does_not_beat_the_baseline_is_told_so(accuracy: float, lead: str, needed: str) -> None:
    verdict = judge("accuracy", accuracy, 0.5, params(0.0, float(needed)))

    assert verdict.passed is False
    assert verdict.missed == (
        f"accuracy is {accuracy:.4f}, {lead} from the baseline's 0.5000; "
        f"evaluate.beat_baseline_by needs {needed}",
    )


BASELINE = {"accuracy": 0.94, "f1_score": 0.91, "log_loss": 0.227}


def test_a_better_ranking_is_enough_where_one_class_is_nearly_all() -> None:
    found = {"accuracy": 0.94, "f1_score": 0.92, "log_loss": 0.201}

    assert gate.judge(CLASSIFICATION, found, BASELINE, params(0.9, 0.02, "log_loss")).passed
    verdict = gate.judge(CLASSIFICATION, found, BASELINE, params(0.9, 0.05, "log_loss"))
    assert verdict.missed == (
        "log_loss is 0.2010, -0.0260 from the baseline's 0.2270; evaluate.beat_baseline_by needs -0.05",
    )
    assert verdict.measure == "log_loss"


def test_a_lead_that_no_model_can_have_is_said_to_be_so() -> None:
    found = {"accuracy": 0.99, "f1_score": 0.99, "log_loss": 0.1}

    [missed] = gate.judge(CLASSIFICATION, found, BASELINE, params(0.9, 0.1)).missed

    assert missed == (
        "accuracy is 0.9900, +0.0500 from the baseline's 0.9400; evaluate.beat_baseline_by needs +0.1, which"
        " no model can reach: lower it to at most 0.06, or set evaluate.measure to precision, recall,"
        " f1_score, roc_auc, average_precision, log_loss, brier_score, calibration_error"
    )


@pytest.mark.parametrize("value", [0.3, 0.227])
def test_more_loss_is_no_lead(value: float) -> None:
    found = {"accuracy": 0.94, "f1_score": 0.91, "log_loss": value}

    assert not gate.judge(CLASSIFICATION, found, BASELINE, params(0.0, 0.0, "log_loss")).passed


def test_an_unknown_measure_names_the_known_ones() -> None:
    with pytest.raises(ConfigError) as error:
        params(0.9, 0.1, "logloss").check_task("classification")

    assert str(error.value) == (
        "params.yaml: evaluate.measure: classification has no logloss; allowed: accuracy, precision, recall, "
        "f1_score, roc_auc, average_precision, log_loss, brier_score, calibration_error, "
        "did you mean log_loss?"
    )


@pytest.mark.parametrize(
    ("asked", "key"),
    [
        ({"min_accuracy": 0.9}, "min_accuracy: regression has no accuracy"),
        ({"at_least": {"f1_score": 0.9}}, "at_least.f1_score: regression has no f1_score"),
        ({"at_most": {"log_loss": 0.9}}, "at_most.log_loss: regression has no log_loss"),
        ({"measure": "precision"}, "measure: regression has no precision"),
    ],
)
def test_a_measure_of_another_task_is_said_to_be_so(asked: dict[str, Any], key: str) -> None:
    known = "allowed: r2, rmse, mae, median_error, coverage, interval_width"

    with pytest.raises(ConfigError, match=f"^params.yaml: evaluate.{key}; {known}"):
        EvaluateParams(beat_baseline_by=0.0, **asked).check_task("regression")


def test_any_measure_can_have_a_limit() -> None:
    asked = EvaluateParams(beat_baseline_by=0.0, at_least={"r2": 0.5}, at_most={"rmse": 3.0, "mae": 2.0})
    baseline = {"r2": 0.0, "rmse": 9.0, "mae": 8.0}

    assert gate.judge(REGRESSION, {"r2": 0.5, "rmse": 3.0, "mae": 2.0}, baseline, asked).passed
    verdict = gate.judge(REGRESSION, {"r2": 0.4, "rmse": 3.1, "mae": 2.0}, baseline, asked)
    assert verdict.missed == (
        "r2 is 0.4000, evaluate.at_least.r2 needs 0.5",
        "rmse is 3.1000, evaluate.at_most.rmse allows 3",
    )


def test_the_verdict_names_the_measure_that_models_are_compared_by() -> None:
    needed = EvaluateParams(beat_baseline_by=0.1)

    assert judge("f1_score", 0.4, 0.5, needed).missed == (
        "f1_score is 0.4000, -0.1000 from the baseline's 0.5000; evaluate.beat_baseline_by needs +0.1",
    )

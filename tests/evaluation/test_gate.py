import pytest

from src.evaluation.gate import judge
from src.params import EvaluateParams


def params(min_accuracy: float, beat_baseline_by: float) -> EvaluateParams:
    return EvaluateParams(min_accuracy=min_accuracy, beat_baseline_by=beat_baseline_by)


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


def test_the_verdict_names_the_measure_that_models_are_compared_by() -> None:
    verdict = judge("f1_score", 0.4, 0.5, params(0.5, 0.1))

    assert verdict.missed == (
        "f1_score is 0.4000, evaluate.min_accuracy needs 0.5",
        "f1_score is 0.4000, -0.1000 from the baseline's 0.5000; evaluate.beat_baseline_by needs +0.1",
    )

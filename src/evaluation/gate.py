"""Whether a model is good enough to be published."""

import math

from src.params import EvaluateParams
from src.strict_model import StrictModel


class Gate(StrictModel):
    """What was asked, and what of it was missed: nothing, when the model may be published."""

    min_accuracy: float
    beat_baseline_by: float
    missed: tuple[str, ...]
    passed: bool


def judge(measure: str, value: float, baseline: float, params: EvaluateParams) -> Gate:
    """Return the verdict on a model whose `measure` is `value`, where the baseline's is `baseline`."""
    missed = []
    if value < params.min_accuracy:
        missed.append(f"{measure} is {value:.4f}, evaluate.min_accuracy needs {params.min_accuracy:g}")
    lead = value - baseline
    enough = lead >= params.beat_baseline_by or math.isclose(lead, params.beat_baseline_by)
    if lead <= 0 or not enough:
        missed.append(
            f"{measure} is {value:.4f}, {lead:+.4f} from the baseline's {baseline:.4f}; "
            f"evaluate.beat_baseline_by needs {params.beat_baseline_by:+g}"
        )
    return Gate(**params.model_dump(), missed=tuple(missed), passed=not missed)

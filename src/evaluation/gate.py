"""Whether a model is good enough to be published."""

import math
from collections.abc import Mapping

from src.params import EvaluateParams
from src.strict_model import StrictModel
from src.tasks import Task


class Gate(StrictModel):
    """What was asked, and what of it was missed: nothing, when the model may be published."""

    measure: str
    min_accuracy: float | None
    at_least: dict[str, float]
    at_most: dict[str, float]
    beat_baseline_by: float
    missed: tuple[str, ...]
    passed: bool


def judge(
    task: Task, measures: Mapping[str, float], baseline: Mapping[str, float], params: EvaluateParams
) -> Gate:
    """Return the verdict on a model with these `measures`, where the baseline's are `baseline`.

    The lead over the baseline is of the measure that the parameters name, in the direction in which that is
    better.
    """
    missed = [
        f"{name} is {measures[name]:.4f}, evaluate.{key} needs {least:g}"
        for key, name, least in params.floors
        if measures[name] < least
    ]
    missed += [
        f"{name} is {measures[name]:.4f}, evaluate.at_most.{name} allows {most:g}"
        for name, most in params.at_most.items()
        if measures[name] > most
    ]
    measure = params.measure or task.primary_measure
    value, known = measures[measure], baseline[measure]
    less_is_better = measure in task.less_is_better
    lead = known - value if less_is_better else value - known
    wanted = params.beat_baseline_by
    if lead <= 0 or not (lead >= wanted or math.isclose(lead, wanted)):
        sign = -1 if less_is_better else 1
        missed.append(
            f"{measure} is {value:.4f}, {value - known:+.4f} from the baseline's {known:.4f}; "
            f"evaluate.beat_baseline_by needs {sign * wanted:+g}{_hint(task, measure, known, wanted)}"
        )
    return Gate(
        measure=measure,
        min_accuracy=params.min_accuracy,
        at_least=params.at_least,
        at_most=params.at_most,
        beat_baseline_by=wanted,
        missed=tuple(missed),
        passed=not missed,
    )


def _hint(task: Task, measure: str, baseline: float, wanted: float) -> str:
    """Return what to do where no model could lead by as much as is wanted."""
    _, most = task.measures[measure]
    room = baseline if measure in task.less_is_better else most - baseline
    if room >= wanted or math.isclose(room, wanted):
        return ""
    others = ", ".join(name for name in task.measures if name != measure)
    return f", which no model can reach: lower it to at most {room:.4g}, or set evaluate.measure to {others}"

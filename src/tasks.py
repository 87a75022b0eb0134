"""What a task is: how its models are measured and answer; each room has one module for each task."""

from importlib import import_module
from math import inf
from typing import Any, Literal, NamedTuple

TaskName = Literal["classification", "regression"]
Bounds = tuple[float, float]  # the least and the most that a measure can be
SHARE: Bounds = (0.0, 1.0)
DISTANCE: Bounds = (0.0, inf)


class Task(NamedTuple):
    """A kind of prediction."""

    name: TaskName
    measures: dict[str, Bounds]  # that the manifest holds of every model, in the order people read them
    primary_measure: str  # the one that models are compared by
    model_suffix: str  # of the models' names in the registry
    less_is_better: frozenset[str] = frozenset()  # the measures of which a good model has little
    has_interval: bool = False  # answers come with the interval that the truth is probably in


CLASSIFICATION = Task(
    "classification",
    {
        "accuracy": SHARE,
        "precision": SHARE,
        "recall": SHARE,
        "f1_score": SHARE,
        "roc_auc": SHARE,
        "average_precision": SHARE,
        "log_loss": DISTANCE,
        "brier_score": (0.0, 2.0),
        "calibration_error": SHARE,
    },
    primary_measure="accuracy",
    model_suffix="Classifier",
    less_is_better=frozenset({"log_loss", "brier_score", "calibration_error"}),
)
REGRESSION = Task(
    "regression",
    {
        "r2": (-inf, 1.0),
        "rmse": DISTANCE,
        "mae": DISTANCE,
        "median_error": DISTANCE,
        "coverage": SHARE,
        "interval_width": DISTANCE,
    },
    primary_measure="r2",
    model_suffix="Regressor",
    less_is_better=frozenset({"rmse", "mae", "median_error", "interval_width"}),
    has_interval=True,
)
TASKS: dict[str, Task] = {task.name: task for task in (CLASSIFICATION, REGRESSION)}


def side(room: str, task: str) -> Any:
    """Return the module of package `room` that does its part of `task`; siblings have the same functions."""
    return import_module(f"{room}.{TASKS[task].name}")

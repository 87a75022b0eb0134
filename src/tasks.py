"""What a task is: how its models are measured and answer; each room has one module for each task."""

from importlib import import_module
from typing import Any, Literal, NamedTuple

TaskName = Literal["classification"]


class Task(NamedTuple):
    """A kind of prediction."""

    name: TaskName
    measures: tuple[str, ...]  # that the manifest holds of every model, in the order people read them
    primary_measure: str  # the one that models are compared by
    model_suffix: str  # of the models' names in the registry


CLASSIFICATION = Task(
    "classification",
    ("accuracy", "precision", "recall", "f1_score", "log_loss", "calibration_error"),
    primary_measure="accuracy",
    model_suffix="Classifier",
)
TASKS: dict[str, Task] = {task.name: task for task in (CLASSIFICATION,)}


def side(room: str, task: str) -> Any:
    """Return the module of package `room` that does its part of `task`; siblings have the same functions."""
    return import_module(f"{room}.{TASKS[task].name}")

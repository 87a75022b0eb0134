"""What the files of a bundle say: how the model came to be, how good it is, and rows it has answered."""

from typing import Literal, Self

from pydantic import BaseModel, Field, model_validator

from src.bundle.limits import (
    MAX_COLUMNS,
    MAX_EXAMPLES,
    MAX_NOTES,
    Classes,
    Digest,
    Name,
    Notes,
    Scalar,
    Share,
    Time,
)
from src.strict_model import StrictModel
from src.tasks import TASKS, TaskName

FileName = Literal[
    "card.html", "card.md", "example.json", "metrics.json", "model.onnx", "profile.json", "schema.json"
]


class Interval(StrictModel):
    """What surrounds a predicted number: as far below it as above."""

    coverage: float = Field(gt=0, lt=1)  # share of the rows that are inside
    half_width: float = Field(ge=0, allow_inf_nan=False)


class Training(StrictModel):
    """How a model came to be: all the manifest says before the model is measured."""

    format: Literal[2] = 2
    name: Name  # of the registered model
    version: Name  # the registry's number
    task: TaskName
    model_type: Name  # scikit-learn's class
    exact: bool  # its scores equal scikit-learn's to the bit, on any machine
    n_features: int
    n_samples: int = Field(ge=1)  # rows it was fitted on
    feature_names: tuple[Name, ...] = Field(max_length=MAX_COLUMNS, fail_fast=True)
    target_names: Classes
    mlflow_run_id: Name | None
    git_commit: Name | None  # None outside a git checkout
    data_digest: Digest  # SHA-256 of the raw table
    test_digest: Digest  # SHA-256 of the rows held out from it
    created_at: Time  # ISO 8601, UTC
    parameters: dict[Name, Scalar] = Field(max_length=MAX_NOTES)
    interval: Interval | None = None  # of a number; a class has probabilities
    libraries: Notes


class Manifest(Training):
    """`metadata.json`: how the model came to be, how good it is, and the SHA-256 of every other file."""

    measures: dict[Name, float] = Field(min_length=1, max_length=MAX_NOTES)  # on the held-out rows
    primary_measure: Name  # one of them
    files: dict[FileName, Digest]

    @model_validator(mode="after")
    def _check_measures(self) -> Self:
        if self.primary_measure not in self.measures:
            raise ValueError("primary_measure is none of measures")
        for name, (least, most) in TASKS[self.task].measures.items():
            if name in self.measures and not least <= self.measures[name] <= most:
                raise ValueError(
                    f"measures.{name}: {self.measures[name]:g} is not from {least:g} to {most:g}"
                )
        return self


class ManifestFormat1(Training):
    """`metadata.json` as bundles had it that knew no task but classification."""

    format: Literal[1]  # type: ignore[assignment]
    task: TaskName = "classification"
    accuracy: Share
    precision: Share
    recall: Share
    f1_score: Share
    files: dict[FileName, Digest]

    def upgraded(self) -> Manifest:
        """Return the same as a manifest of the present format."""
        measures = {name: getattr(self, name) for name in ("accuracy", "precision", "recall", "f1_score")}
        kept = self.model_dump(exclude={"format", *measures})
        return Manifest(**kept, measures=measures, primary_measure="accuracy")


class Gate(BaseModel):
    """What of the gate was missed: nothing, when the model may be published."""

    missed: tuple[str, ...] = Field((), fail_fast=True)


class Metrics(BaseModel):
    """What others rely on in `metrics.json`, besides the measures of the manifest."""

    gate: Gate = Gate()


class ExampleRows(StrictModel):
    """Rows of the example, each task adds the answers scikit-learn gave: every load must give them again."""

    rows: tuple[dict[str, Scalar], ...] = Field(min_length=1, max_length=MAX_EXAMPLES, fail_fast=True)

"""What the API answers."""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class _Answer(BaseModel):
    model_config = ConfigDict(protected_namespaces=(), extra="forbid")


class Home(_Answer):
    message: str
    version: str
    docs: str
    health: str


class Health(_Answer):
    status: Literal["healthy", "unhealthy"]
    model_loaded: bool
    version: str  # of the software
    model_version: str | None


class Probe(_Answer):
    status: Literal["alive", "ready"]


class RowPrediction(_Answer):
    prediction: str
    confidence: float  # the probability of the predicted class
    probabilities: dict[str, float]  # of each class


class Prediction(RowPrediction):
    model_version: str


class BatchPrediction(_Answer):
    predictions: list[RowPrediction]  # in the order of the rows
    model_version: str


class ModelInfo(_Answer):
    name: str
    version: str
    model_type: str
    n_features: int
    n_samples: int  # rows it was fitted on
    feature_names: list[str]
    target_names: list[str]
    accuracy: float
    precision: float
    recall: float
    f1_score: float
    mlflow_run_id: str | None
    git_commit: str | None
    data_digest: str  # SHA-256 of the raw table
    created_at: str
    digest: str  # SHA-256 of the bundle's manifest


class FieldError(_Answer):
    row: int | None = None  # of a batch, the first is 0
    field: str | None  # None: the body as a whole, or fields that are not known
    detail: str


class ProblemDetails(_Answer):
    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldError] = []  # of the fields that are wrong

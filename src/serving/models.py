"""What the API answers, but for what the task of a model decides: `src.serving.answers` has that."""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class AnswerModel(BaseModel):
    """The body of an answer."""

    model_config = ConfigDict(protected_namespaces=(), extra="forbid")


class Home(AnswerModel):
    message: str
    version: str
    docs: str
    health: str


class Health(AnswerModel):
    status: Literal["healthy", "unhealthy"]
    model_loaded: bool
    version: str  # of the software
    model_version: str | None


class Probe(AnswerModel):
    status: Literal["alive", "ready"]


class ModelDescription(AnswerModel):
    """The fields of `/model/info` before the measures."""

    name: str
    version: str
    model_type: str
    n_features: int
    n_samples: int  # rows it was fitted on
    feature_names: list[str]
    target_names: list[str]


class ModelOrigin(AnswerModel):
    """The fields of `/model/info` after the measures."""

    mlflow_run_id: str | None
    git_commit: str | None
    data_digest: str  # SHA-256 of the raw table
    created_at: str
    digest: str  # SHA-256 of the bundle's manifest


class FieldError(AnswerModel):
    row: int | None = None  # of a batch, the first is 0
    field: str | None  # None: the body as a whole, or fields that are not known
    detail: str


class ProblemDetails(AnswerModel):
    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldError] = []  # of the fields that are wrong

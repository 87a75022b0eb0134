"""What the API answers, but for what the task of a model decides: `src.serving.answers` has that."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


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
    version: str = Field(description="The version of the software.")
    model_version: str | None = Field(description="The version of the model in service.")


class Probe(AnswerModel):
    status: Literal["alive", "ready"]


class Reloaded(AnswerModel):
    name: str
    version: str = Field(description="The version in service now.")
    changed: bool = Field(description="Whether it is another model than before.")


class ModelDescription(AnswerModel):
    """The fields of `/model/info` before the measures."""

    name: str
    version: str
    model_type: str
    n_features: int
    n_samples: int = Field(description="Rows that the model was fitted on.")
    feature_names: list[str]
    target_names: list[str]


class ModelOrigin(AnswerModel):
    """The fields of `/model/info` after the measures."""

    mlflow_run_id: str | None
    git_commit: str | None
    data_digest: str = Field(description="SHA-256 of the table.")
    created_at: str = Field(description="When it was trained, in UTC.")
    digest: str = Field(description="SHA-256 of the bundle's manifest.")


class FieldError(AnswerModel):
    row: int | None = Field(None, description="The row of a batch; the first is 0.")
    field: str | None = Field(description="null: the body as a whole, or fields that are not known.")
    detail: str = Field(description="What is allowed.")


class Answered(AnswerModel):
    """The fields of an answer after its predictions."""

    model_version: str = Field(description="The version of the model that answered.")
    warnings: list[FieldError] | None = Field(None, description="Of texts that training did not see.")


class ProblemDetails(AnswerModel):
    """An error, as RFC 9457 has it."""

    type: str = Field(description="The page that says what to do.")
    title: str = Field(description="The phrase of the status.")
    status: int = Field(description="The status of the response.")
    detail: str = Field(description="What is wrong with this request, and what is allowed.")
    code: str = Field(description="Names the error for programs.")
    errors: list[FieldError] = Field([], description="The fields that are wrong.")

"""The request and the response of `/predict`, as one would write them by hand."""

from pydantic import BaseModel, ConfigDict, Field


class Flower(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    sepal_length: float = Field(ge=0.7, le=11.5)
    sepal_width: float = Field(ge=0, le=6.8)
    petal_length: float = Field(ge=0, le=12.8)
    petal_width: float = Field(ge=0, le=4.9)


class Prediction(BaseModel):
    model_config = ConfigDict(protected_namespaces=())

    prediction: str
    confidence: float
    probabilities: dict[str, float]
    model_version: str

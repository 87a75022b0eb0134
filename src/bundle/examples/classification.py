"""What `example.json` holds of a model that tells classes apart."""

from pydantic import Field

from src.bundle.limits import Share
from src.bundle.manifest import ExampleRows


class Example(ExampleRows):
    """Rows with the class and the probabilities that scikit-learn gave each of them."""

    labels: tuple[str, ...] = Field(fail_fast=True)
    scores: tuple[tuple[Share, ...], ...] = Field(fail_fast=True)  # [rows, classes]

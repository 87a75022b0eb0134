"""What `example.json` holds of a model that tells classes apart, and what its schema says of the target."""

from pydantic import Field

from src.bundle.limits import MAX_NAME, Share, check_texts
from src.bundle.manifest import ExampleRows
from src.schema.columns import MAX_CLASSES, Schema


class Example(ExampleRows):
    """Rows with the class and the probabilities that scikit-learn gave each of them."""

    labels: tuple[str, ...] = Field(fail_fast=True)
    scores: tuple[tuple[Share, ...], ...] = Field(fail_fast=True)  # [rows, classes]


def check_target(schema: Schema) -> None:
    """Raise ValueError unless the target of `schema` are classes that can be told apart."""
    if not 2 <= len(schema.classes) <= MAX_CLASSES:
        raise ValueError(f"has {len(schema.classes)} classes, allowed are 2 to {MAX_CLASSES}")
    check_texts("class", schema.classes, MAX_NAME)

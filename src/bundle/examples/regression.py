"""What `example.json` holds of a model that predicts a number, and what its schema says of the target."""

from pydantic import Field

from src.bundle.manifest import ExampleRows
from src.schema.columns import Schema


class Example(ExampleRows):
    """Rows with the number that scikit-learn gave each of them."""

    values: tuple[float, ...] = Field(fail_fast=True)


def check_target(schema: Schema) -> None:
    """Raise ValueError unless the target of `schema` is a number."""
    if schema.classes:
        raise ValueError("has classes, but its task is regression")

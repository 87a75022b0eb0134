"""What is known of a value of a graph before the model runs."""

from typing import Any, NamedTuple

from numpy.typing import NDArray

from src.runtime.wire import DOUBLE, STRING
from src.schema.columns import Schema

ROWS = -1  # the size of the dimension that a call decides
INPUTS = {"numeric": DOUBLE, "categorical": STRING}  # that a model may have, and what they hold


class Value(NamedTuple):
    """A tensor; one with a `constant` is the same at every call."""

    kind: int  # its TensorProto.DataType
    shape: tuple[int, ...]
    constant: NDArray[Any] | None = None
    highest: int | None = None  # it holds whole numbers from 0 to this one


def inputs(schema: Schema) -> dict[str, Value]:
    """Return the inputs of a model of `schema`, by name and in order: only those that have columns."""
    widths = {"numeric": len(schema.numeric), "categorical": len(schema.categorical)}
    return {name: Value(kind, (ROWS, widths[name])) for name, kind in INPUTS.items() if widths[name]}

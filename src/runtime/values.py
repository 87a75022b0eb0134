"""What is known of a value of a graph before the model runs."""

from typing import Any, NamedTuple

from numpy.typing import NDArray

ROWS = -1  # the size of the dimension that a call decides


class Value(NamedTuple):
    """A tensor; one with a `constant` is the same at every call."""

    kind: int  # its TensorProto.DataType
    shape: tuple[int, ...]
    constant: NDArray[Any] | None = None
    highest: int | None = None  # it holds whole numbers from 0 to this one

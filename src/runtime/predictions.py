"""What runs a model, whatever library does."""

from typing import Any, Protocol, TypeAlias

from numpy.typing import NDArray

from src.schema.features import Features

Outputs: TypeAlias = tuple[NDArray[Any], ...]  # the `Predictions` of a task: arrays [rows] or [rows, …]


class Runtime(Protocol):
    """A loaded model."""

    def predict(self, features: Features) -> Outputs:
        """Return the answers to `features`, the `Predictions` of the model's task."""
        ...

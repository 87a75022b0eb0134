"""Generated mistakes, of which there are too many to try each at every change."""

import os
from typing import TypeVar

T = TypeVar("T")

_ALL = os.environ.get("MUTANTS") == "all"  # make test-mutants
_EVERY = 10


def sample(mutants: list[T]) -> list[T]:
    """Return every tenth of `mutants`; all where they are asked for."""
    return mutants if _ALL else mutants[::_EVERY]

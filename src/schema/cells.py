"""What a cell means, in tables, requests and files alike: its text, or that there is no value."""

import re
from dataclasses import dataclass
from functools import cached_property
from numbers import Real

# The words that pandas takes for no value. An empty cell is one without being listed.
MISSING = (
    "#N/A",
    "#N/A N/A",
    "#NA",
    "-1.#IND",
    "-1.#QNAN",
    "-NaN",
    "-nan",
    "1.#IND",
    "1.#QNAN",
    "<NA>",
    "N/A",
    "NA",
    "NULL",
    "NaN",
    "None",
    "n/a",
    "nan",
    "null",
)
NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", flags=re.ASCII)


@dataclass(frozen=True)
class CellRule:
    """Which texts mean that a value is missing, and whether blanks around a text belong to it.

    Without words, as in models made before there was a rule, every text is a value but the empty one.
    """

    missing: tuple[str, ...] = ()
    strip: bool = False

    def text(self, value: str) -> str:
        """Return what `value` says, the empty text when it says that there is no value."""
        if self.strip:
            value = value.strip()
        return "" if value in self._words else value

    def is_missing(self, value: object) -> bool:
        """Return whether `value`, of any type, stands for no value."""
        if value is None or value != value:  # NaN, NaT and pandas' NA differ from themselves
            return True
        if isinstance(value, str):
            return not self.text(value)
        return (
            bool(self.numbers)
            and isinstance(value, Real)
            and not isinstance(value, bool)
            and value in self.numbers
        )

    @cached_property
    def _words(self) -> frozenset[str]:
        return frozenset(word.strip() if self.strip else word for word in self.missing)

    @cached_property
    def numbers(self) -> frozenset[float]:
        """The words that are numbers: where a column holds numbers they mean these, however spelled."""
        return frozenset(float(word) for word in self._words if NUMBER.fullmatch(word))

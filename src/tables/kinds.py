"""What a column of texts holds: booleans, whole numbers, numbers, or texts after all."""

import re
from collections.abc import Collection, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd

from src.schema.cells import NUMBER, CellRule

Kind = Literal["boolean", "integer", "float", "text"]

BOOLEANS = {"True": True, "TRUE": True, "true": True, "False": False, "FALSE": False, "false": False}
LEADING_ZERO = re.compile(r"[+-]?0\d+", flags=re.ASCII)  # 02134 and 007 name something, they count nothing
_INTEGER = re.compile(r"[+-]?\d{1,300}", flags=re.ASCII)  # of more digits, it is infinite as a number
_INFINITE = re.compile(r"[+-]?inf(inity)?", flags=re.IGNORECASE)


def typed(texts: "pd.Series[Any]", cells: CellRule) -> "pd.Series[Any]":
    """Return the values that `texts` spell, missing where `cells` says so.

    One kind for a whole column: one text that is no number makes it text, and so does a leading zero.
    """
    codes, uniques = pd.factorize(texts.to_numpy(dtype=object))
    spelled = [cells.text(text) for text in uniques]
    kind = kind_of(numbers := without(spelled, cells.numbers))
    if kind == "text":
        return pd.Series(_values(spelled, kind)[codes], index=texts.index, dtype="str")
    return pd.Series(_values(numbers, kind)[codes], index=texts.index)


def without(spelled: Sequence[str], numbers: Collection[float]) -> list[str]:
    """Return the texts, the empty one in place of each that is one of `numbers`."""
    if not numbers:
        return list(spelled)
    return ["" if NUMBER.fullmatch(text) and float(text) in numbers else text for text in spelled]


def kind_of(spelled: Sequence[str]) -> Kind:
    """Return what all of the texts are that are not empty; "float" when all are."""
    present = [text.strip() for text in spelled if text]
    if present and all(text in BOOLEANS for text in present):
        return "boolean"
    if any(LEADING_ZERO.fullmatch(text) for text in present):
        return "text"
    if present and all(_INTEGER.fullmatch(text) for text in present):
        return "integer"
    if all(NUMBER.fullmatch(text) or _INFINITE.fullmatch(text) for text in present):
        return "float"
    return "text"


def _values(spelled: Sequence[str], kind: Kind) -> np.ndarray[Any, Any]:
    """Return a value per text, None or NaN where it is empty; without gaps, of numpy's type for `kind`."""
    if kind == "float":
        return np.array([float(text) if text else np.nan for text in spelled], dtype=np.float64)
    values = np.empty(len(spelled), dtype=object)
    if kind == "text":
        values[:] = [text or None for text in spelled]
        return values
    values[:] = [
        None if not text else BOOLEANS[text.strip()] if kind == "boolean" else int(text) for text in spelled
    ]
    whole = kind == "integer"
    if None in values or (whole and any(abs(value) >= 2**63 for value in values)):
        return values
    return values.astype(np.int64 if whole else np.bool_)

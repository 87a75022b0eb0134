"""A target of classes: which they are, as what they are learned, how rows are chosen by them."""

import math
from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

from src.errors import DataError
from src.schema.cells import NUMBER, CellRule
from src.schema.columns import MAX_CLASSES, Schema
from src.tables.conform import to_texts

IS_TEXT = True  # a class is a text, even one that looks like a number


def infer(target: str, values: "pd.Series[Any]", cells: CellRule) -> dict[str, Any]:
    """Return what the schema says of the column `target`, whose cells are `values`: its classes.

    Raises:
        DataError: a row has no class, or there are too few or too many of them.
    """
    counts = Counter("" if cells.is_missing(value) else None for value in values)
    if missing := counts[""]:
        words = Counter(
            value.strip() for value in values if isinstance(value, str) and cells.is_missing(value)
        )
        words.pop("", None)
        raise DataError(_without_target(target, missing, words))
    classes = tuple(sorted({cells.text(str(value)) for value in values.unique()}))
    if not 2 <= len(classes) <= MAX_CLASSES:
        many = len(classes) > MAX_CLASSES and all(NUMBER.fullmatch(name) for name in classes)
        raise DataError(
            f"column {target!r}: {len(classes)} different targets, a classifier needs 2 to {MAX_CLASSES}"
            + ("; data.task: regression predicts a number" if many else "")
        )
    return {"task": "classification", "classes": classes}


def usable(
    target: str, values: "pd.Series[Any]", cells: CellRule, missing: str, rare: str
) -> tuple["pd.Series[bool]", list[str]]:
    """Return which rows [rows] to keep, and what is said of the others.

    `missing` and `rare` are what to do with rows without a class and with classes of one row: `drop` leaves
    them out, after which there may be nothing left; `error` keeps them, for `infer` and `split` to refuse.
    """
    remarks = []
    kept = pd.Series(True, index=values.index)
    if missing == "drop":
        kept = ~values.map(cells.is_missing).astype(bool)
        if lost := int((~kept).sum()):
            remarks.append(f"column {target!r}: left out {lost} of {len(values)} rows, which have no target")
    if rare == "drop":
        counts = values[kept].map(lambda value: cells.text(str(value))).value_counts()
        few = sorted(map(str, counts[counts < 2].index))
        if few:
            kept &= ~values.map(lambda value: cells.text(str(value))).isin(few)
            remarks.append(f"column {target!r}: left out {len(few)} classes of one row: {_listed(few)}")
    return kept, remarks


def to_column(schema: Schema, values: pd.Series) -> pd.Series:
    """Return the target's cells `values` as a table of the schema holds them: str."""
    return to_texts(values, schema.cells)


def to_array(values: pd.Series) -> NDArray[np.object_]:
    """Return the target `values` [rows] of such a table as a model is fitted to them."""
    return values.to_numpy(dtype=object)


def summary(values: pd.Series) -> str:
    """Return the classes and their shares of `values` in one line, the commonest first."""
    shares = (
        values.value_counts(normalize=True, sort=False)
        .sort_index()
        .sort_values(ascending=False, kind="stable")
    )
    return "classes: " + ", ".join(f"{name} {share:.1%}" for name, share in shares.items())


def split(
    table: pd.DataFrame, test_size: float, random_state: int, target: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return (train, test), each with the class balance of `table`: scikit-learn's own split.

    Raises:
        DataError: a class is too rare, or a part would be too small to hold every class.
    """
    counts = table[target].value_counts()
    if rare := sorted(map(str, counts[counts < 2].index)):
        what = f"class {rare[0]!r} has" if len(rare) == 1 else f"classes {_listed(rare)} have"
        raise DataError(
            f"column {target!r}: {what} one row; it takes two to train and to test,"
            " data.rare_classes: drop leaves such rows out"
        )
    try:
        train, test = train_test_split(
            table, test_size=test_size, random_state=random_state, stratify=table[target]
        )
    except ValueError as error:
        raise DataError(_too_few(test_size, len(table), len(counts), error)) from error
    if lost := sorted(set(counts.index) - set(train[target])):
        raise DataError(f"data.test_size: {test_size:g} leaves no row of class {lost[0]!r} to train on")
    return train, test


def check_train(train: pd.DataFrame, schema: Schema) -> None:
    """Raise DataError when a class of the target is held out whole."""
    if lost := sorted(set(schema.classes) - set(train[schema.target])):
        raise DataError(f"class {lost[0]!r} is held out whole, so that it cannot be learnt")


def example_rows(table: pd.DataFrame, count: int, target: str) -> pd.DataFrame:
    """Return at most `count` rows of `table`, of different classes first."""
    firsts = table.drop_duplicates(target)
    return pd.concat([firsts, table.drop(firsts.index)]).head(count)


def _too_few(test_size: float, rows: int, classes: int, error: ValueError) -> str:
    """Return why the rows cannot be split, in our words where a part has no room for each class."""
    held_out = math.ceil(test_size * rows)
    least = min(held_out, rows - held_out)
    if 0 < least < classes:
        return (
            f"data.test_size: {test_size:g} of {rows} rows leaves a part of {least} rows for {classes} "
            "classes; choose another, or set data.task: regression if they are numbers"
        )
    return f"data.test_size: {test_size:g} of {rows} rows: {error}"


def _listed(names: list[str], most: int = 10) -> str:
    shown = ", ".join(map(repr, names[:most]))
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def _without_target(target: str, missing: int, words: Counter[str]) -> str:
    """Return what is wrong, and what to do when words were taken for no target."""
    message = f"column {target!r}: {missing} rows have no target"
    if not words:
        return f"{message}; data.target_missing: drop leaves them out"
    found = ", ".join(f"{word!r} in {count}" for word, count in words.most_common(5))
    return f"{message} ({found}); a word is a class when data.missing does not list it"

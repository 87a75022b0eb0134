"""What the columns of a table hold, found by looking."""

import logging
import math
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, time
from typing import Any, Literal

import numpy as np
import pandas as pd

from src.errors import DataError
from src.schema.cells import CellRule
from src.schema.columns import (
    FLOAT32_MAX,
    MAX_CATEGORIES,
    MAX_TEXT,
    CategoryColumn,
    Column,
    DateColumn,
    NumericColumn,
    Schema,
)
from src.schema.dates import is_moment, read_moment
from src.schema.names import find, named
from src.tables.conform import check_finite
from src.tasks import TaskName, side

logger = logging.getLogger(__name__)

MAX_INTEGER = 2**53 - 1  # beyond it a double no longer tells every integer from the next


def infer(
    table: pd.DataFrame,
    target: str,
    ranges: Mapping[str, Sequence[float]],
    cells: CellRule = CellRule(),
    task: TaskName = "classification",
    unusable: str = "error",
    text: Collection[str] = (),
) -> Schema:
    """Return the schema of `table`, whose headers are as the source spells them.

    `target` and the keys of `ranges` may be headers or names. `unusable` is what to do with columns that no
    model can take: `drop` leaves them out of the schema, and says so. Columns that `text` names are texts
    even if they hold dates.

    Raises:
        DataError: a column cannot be used; the message names it and says why.
    """
    headers = named(table.columns)
    listed = ", ".join(headers)
    found = find(target, headers)
    if found is None:
        raise DataError(f"data.target: no column {target!r}, the table has {listed}")
    allowed: dict[str, tuple[float, float]] = {}
    for wanted, (low, high) in ranges.items():
        name = find(wanted, headers)
        if name is None:
            raise DataError(f"data.ranges: no column {wanted!r}, the table has {listed}")
        if name in allowed:
            raise DataError(f"data.ranges: column {name!r} is there twice, once as {wanted!r}")
        allowed[name] = (float(low), float(high))
    values = dict(zip(headers, (table[header] for header in table.columns), strict=True))
    declared = {find(one, headers) for one in text}
    columns: list[Column] = []
    useless: dict[str, str] = {}  # why, by name
    for name, header in headers.items():
        if name == found:
            continue
        try:
            is_text = name in declared
            columns.append(_infer_column(name, header, values[name], allowed.get(name), cells, is_text))
        except _Unusable as error:
            useless[name] = f"column {header!r}: {error}"
    if useless and unusable != "drop":
        raise DataError(_all_of(useless))
    for why in useless.values():
        logger.warning("left out %s", why)
    if not columns:
        raise DataError("the table has no column beside its target")
    return Schema(
        columns=tuple(columns),
        target=found,
        target_header=headers[found],
        missing=cells.missing,
        strip=cells.strip,
        **side("src.tables.targets", task).infer(found, values[found], cells),
    )


def _infer_column(
    name: str,
    header: str,
    values: "pd.Series[Any]",
    allowed: tuple[float, float] | None,
    cells: CellRule,
    is_text: bool = False,
) -> Column:
    present = values.dropna()
    kind = kind_of(present)
    if kind == "category":
        texts = {str(value): cells.text(str(value)) for value in present.unique()}
        present = present[present.map(lambda value: texts[str(value)] != "")]
    nullable = len(present) < len(values)
    if present.empty:
        raise _Unusable("every value is missing")
    if kind == "category" and not is_text and all(map(is_moment, filter(None, texts.values()))):
        if allowed:
            raise DataError(f"data.ranges: column {name!r} holds dates, a range needs numbers")
        return _dates(name, header, nullable, [read_moment(text) for text in texts.values() if text])
    if kind == "category":
        categories = _categories({text for text in texts.values() if text})
        if allowed:
            raise DataError(f"data.ranges: column {name!r} holds text, a range needs numbers")
        return CategoryColumn(name=name, header=header, type=kind, nullable=nullable, categories=categories)
    lowest, highest = _bounds(name, header, present, kind, allowed)
    return NumericColumn(
        name=name, header=header, type=kind, nullable=nullable, lowest=lowest, highest=highest
    )


def _dates(name: str, header: str, nullable: bool, moments: list[datetime]) -> DateColumn:
    """Return the column of `moments`; a request may hold days as far again beyond them."""
    first, last = min(moments).date(), max(moments).date()
    span = max((last - first).days, 1)
    return DateColumn(
        name=name,
        header=header,
        type="date",
        nullable=nullable,
        lowest=date.fromordinal(max(first.toordinal() - span, 1)).isoformat(),
        highest=date.fromordinal(min(last.toordinal() + span, date.max.toordinal())).isoformat(),
        has_time=any(moment.time() != time() for moment in moments),
    )


def _categories(texts: set[str]) -> tuple[str, ...]:
    if len(texts) > MAX_CATEGORIES:
        raise _Unusable(f"{len(texts)} different texts, at most {MAX_CATEGORIES} are allowed")
    categories = tuple(sorted(texts))
    if longest := next((text for text in categories if len(text) > MAX_TEXT), None):
        raise _Unusable(f"{longest[:40]!r}… has more than {MAX_TEXT} characters")
    return categories


def why_unusable(values: "pd.Series[Any]", cells: CellRule = CellRule()) -> str | None:
    """Return why a column of these `values` can be no feature, whatever is declared; None when it can."""
    try:
        _infer_column("", "", values, None, cells)
    except _Unusable as error:
        return str(error)
    except DataError:  # what a declaration can mend
        return None
    return None


class _Unusable(Exception):
    """Why a column can be no feature, whatever its cells are declared to mean."""


def _all_of(useless: Mapping[str, str]) -> str:
    """Return the columns that can be no features with the reasons, and what to do with all of them."""
    what = "it" if len(useless) == 1 else "them"
    listed = ", ".join(useless)
    return (
        f"{'; '.join(useless.values())}; leave {what} out with data.drop: [{listed}], "
        "or all such columns with data.unusable: drop"
    )


def _bounds(
    name: str,
    header: str,
    present: "pd.Series[Any]",
    kind: Literal["float", "integer", "boolean"],
    allowed: tuple[float, float] | None,
) -> tuple[float, float]:
    """Return the lowest and the highest number that a request may hold."""
    if kind == "boolean":
        return 0.0, 1.0
    if kind == "integer" and (far := [one for one in present.unique() if abs(int(one)) > MAX_INTEGER]):
        raise DataError(
            f"column {header!r}: {str(far[0])[:40]} has more digits than a number keeps, whole ones go to "
            f"{MAX_INTEGER} (2^53 - 1); declare it with data.text, or leave it out with data.drop"
        )
    numbers = present.astype(float)
    check_finite(header, numbers)
    low, high = float(numbers.min()), float(numbers.max())
    lowest, highest = allowed or _widened(low, high, whole=kind == "integer")
    if allowed and kind == "integer":
        lowest, highest = float(math.ceil(lowest)), float(math.floor(highest))
        if max(-lowest, highest) > MAX_INTEGER:
            raise DataError(f"data.ranges: column {name!r} holds whole numbers, which go to {MAX_INTEGER}")
    if not lowest <= low <= high <= highest:
        raise DataError(f"data.ranges: column {name!r} goes from {low:g} to {high:g}, beyond its range")
    return lowest, highest


def kind_of(present: "pd.Series[Any]") -> Literal["float", "integer", "boolean", "category"]:
    """Return what the values `present`, none of them missing, are; what is none of the others is text."""
    types = pd.api.types
    if types.is_bool_dtype(present.dtype) or all(isinstance(value, (bool, np.bool_)) for value in present):
        return "boolean"
    if types.is_integer_dtype(present.dtype):
        return "integer"
    if types.is_float_dtype(present.dtype):
        return "float"
    # What has gaps, or integers of any size, is a column of objects.
    return "integer" if all(type(value) is int for value in present) else "category"


def _widened(low: float, high: float, whole: bool) -> tuple[float, float]:
    """Return what a request may hold: as far again beyond what was seen, so that drift shows.

    What was never negative stays so.
    """
    span = (high - low) or max(abs(high), 1.0)
    limit = float(MAX_INTEGER) if whole else FLOAT32_MAX
    lowest = max(low - span, 0.0 if low >= 0 else -limit)
    highest = min(high + span, limit)
    if whole:
        return float(math.floor(lowest)), float(math.ceil(highest))
    return min(float(f"{lowest:.6g}"), low), max(float(f"{highest:.6g}"), high)

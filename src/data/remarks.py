"""What is no error in a table, but its owner should know."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from src.data import spelling
from src.data.spelling import Spelled
from src.params import DataParams
from src.schema.names import find, named
from src.tables.suspects import suspects
from src.tasks import side


def remarks(texts: pd.DataFrame, table: pd.DataFrame, data: DataParams) -> Iterator[str]:
    """Yield a line for each; `table` is what `tables.to_values` makes of `texts`, the cells as they are."""
    if copies := int(table.duplicated().sum()):
        yield f"{copies} rows repeat another one" if copies > 1 else "1 row repeats another one"
    headers = named(texts.columns)
    declared = {headers[name] for one in data.text if (name := find(one, headers))}
    target = headers.get(find(data.target, headers) or "")
    if target is not None and side("src.tables.targets", data.target_task).IS_TEXT:
        declared.add(target)
    for header in table.columns:
        values = table[header]
        column = Spelled.of(str(header), texts[header], data.cells)
        if header != target:
            yield from _gaps(column, values)
        if header in declared:
            yield from spelling.of_texts(column)
        elif isinstance(values.dtype, pd.StringDtype):
            yield from spelling.of_texts(column)
            yield from spelling.of_guesses(column)
        else:
            yield from spelling.of_numbers(column)


def doubts(table: pd.DataFrame, data: DataParams) -> dict[str, list[str]]:
    """Return what is suspect of columns, by header; `table` is as `remarks` takes it."""
    headers = named(table.columns)
    target = find(data.target, headers)
    found: dict[str, list[str]] = {}
    if target is not None:
        for header, what in suspects(table, headers[target], data.target_task):
            found.setdefault(header, []).append(what)
    return found


def of_doubts(found: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Yield a line for each column in `found`, which `doubts` gave."""
    for header, said in found.items():
        yield f"column {header!r} {'; '.join(said)}; data.drop: [{header}] leaves it out"


def _gaps(column: Spelled, values: "pd.Series[Any]") -> Iterator[str]:
    present = values.dropna()
    if missing := len(values) - len(present):
        words = Counter({raw.strip(): count for raw, count in column.missing.items() if raw.strip()})
        said = ", ".join(f"{word!r} in {count}" for word, count in words.most_common(5))
        yield column.say(f"{missing} of {len(values)} values are missing" + (f" ({said})" if said else ""))
    if present.nunique() == 1:
        yield column.say(f"every value is {present.iloc[0]}, the model learns nothing from it")

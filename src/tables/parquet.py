"""A Parquet file as texts, the form in which a table of any source comes to the rest."""

import math
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd

from src.errors import DataError

MAGIC = b"PAR1"


def is_parquet(path: Path) -> bool:
    """Return whether the file at `path` begins as Parquet does."""
    try:
        with path.open("rb") as file:
            return file.read(4) == MAGIC
    except OSError:
        return False


def read_parquet(path: Path) -> pd.DataFrame:
    """Return the table at `path`, each cell as the text that stands for it exactly; missing is empty.

    Raises:
        DataError: it is damaged, or as `as_texts` says.
    """
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.read_table(path).to_pandas(
            ignore_metadata=True, integer_object_nulls=True, date_as_object=True, timestamp_as_object=True
        )
    except (OSError, pyarrow.ArrowException) as error:
        raise DataError(f"{path}: {' '.join(str(error).split())[:200]}") from error
    if table.empty:
        raise DataError(f"{path}: no rows")
    return as_texts(path, table)


def as_texts(path: Path, table: pd.DataFrame) -> pd.DataFrame:
    """Return `table`, whose cells are values, with the text that stands for each exactly; missing is empty.

    Raises:
        DataError: two columns have one name, or hold values that are no numbers, texts, booleans or times.
    """
    headers = [str(header) for header in table.columns]
    if twice := [header for header in headers if headers.count(header) > 1]:
        raise DataError(f"{path}: two columns are named {twice[0]!r}")
    columns = {}
    for place, header in enumerate(headers):
        values = table.iloc[:, place].astype(object)
        codes, uniques = pd.factorize(values, use_na_sentinel=True) if _hashable(values) else (None, None)
        if codes is None or uniques is None:
            raise DataError(f"{path}: column {header!r} holds lists or structures; leave it out of the file")
        try:
            texts = [text_of(header, value) for value in uniques] + [""]
        except DataError as error:
            raise DataError(f"{path}: {error}") from error
        columns[header] = pd.Series([texts[code] for code in codes], index=table.index, dtype=object)
    return pd.DataFrame(columns)


def _hashable(values: "pd.Series[Any]") -> bool:
    return not values.map(lambda value: isinstance(value, list | dict) or hasattr(value, "shape")).any()


def text_of(header: str, value: Any) -> str:
    """Return the text that stands for `value`, of the column `header`, exactly; missing is empty.

    Raises:
        DataError: it is no number, text, boolean or time.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return "" if math.isnan(value) else repr(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, int | str | Decimal):
        return str(value)
    raise DataError(f"column {header!r} holds {type(value).__name__}, which is no number, text or time")

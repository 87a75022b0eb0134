"""A table in a file as texts: every cell as it is written, or what is wrong with the file."""

import csv
import io
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from src.errors import DataError
from src.tables.dialect import Text, read_text, with_decimal_points
from src.tables.parquet import is_parquet, read_parquet

ROW_NUMBERS = ""  # the header that pandas gives an index


class Source(NamedTuple):
    """A table as texts, and how its file is not as we write tables ourselves."""

    texts: pd.DataFrame
    remarks: tuple[str, ...]  # none: the file itself is what is kept of it


def read_texts(path: Path) -> pd.DataFrame:
    """Return the table at `path`, its headers as they are spelled and each cell as the text that it is.

    Raises:
        DataError: it cannot be read as a table; no row is ever skipped.
    """
    return read_source_file(path).texts


def read_source_file(path: Path) -> Source:
    """Return the same with what was found out about the file: CSV of any kind, or Parquet."""
    if is_parquet(path):
        return Source(read_parquet(path), ("in Parquet",))
    found = read_text(path)
    headers, rows = _check_rows(path, found)
    try:
        table = pd.read_csv(
            io.StringIO(found.content, newline=""),
            sep=found.delimiter,
            dtype=str,
            na_filter=False,
            index_col=False,
            names=headers,
            header=0,
        )
    except pd.errors.ParserError as error:  # text that both take for a table, each in its own way
        raise DataError(f"{path}: not a table: {' '.join(str(error).split())}") from error
    if len(table) != rows:  # a lone quoted blank is a row to one of them
        raise DataError(f"{path}: has lines with nothing but a quoted blank; remove them")
    remarks = list(found.remarks)
    if found.delimiter != ",":
        table, changed = with_decimal_points(table)
        if changed:
            remarks.append(f"decimal commas in {', '.join(map(repr, changed))}")
    if headers[0] == ROW_NUMBERS and _counts_up(table[ROW_NUMBERS]):
        table = table.drop(columns=ROW_NUMBERS)
        remarks.append("left out its first column, which has no name and counts the rows")
    elif ROW_NUMBERS in headers:
        raise DataError(f"{path}: column {headers.index(ROW_NUMBERS) + 1} has no name in the header")
    return Source(table, tuple(remarks))


def _counts_up(values: "pd.Series[str]") -> bool:
    """Return whether `values` are 0, 1, 2 … or 1, 2, 3 …"""
    first = values.iloc[0].strip()
    if first not in ("0", "1"):
        return False
    return bool((values.str.strip() == pd.Series(range(int(first), int(first) + len(values))).map(str)).all())


def _check_rows(path: Path, text: Text) -> tuple[list[str], int]:
    """Return the headers and the number of rows; pandas renames double headers and fills up short rows."""
    content = text.content
    if "\0" in content:
        raise DataError(f"{path}: holds NUL bytes; this is not a CSV")
    reader = csv.reader(io.StringIO(content, newline=""), delimiter=text.delimiter, strict=True)
    headers: list[str] = []
    rows = 0
    try:
        for cells in reader:
            if len(cells) < 2 and not "".join(cells).strip():
                continue  # an empty line
            if not headers:
                headers = cells
                continue
            rows += 1
            if len(cells) != len(headers):
                found, needed = len(cells), len(headers)
                raise DataError(f"{path}: line {reader.line_num} has {found} cells, the header has {needed}")
    except csv.Error as error:
        raise DataError(f"{path}: line {reader.line_num}: {error}") from error
    headers = check_headers(path, headers)
    if not rows:
        raise DataError(f"{path}: no rows below the header")
    return headers, rows


def check_headers(path: Path, headers: list[str]) -> list[str]:
    """Return the cells of the first line, the first as `ROW_NUMBERS` where it is blank, as headers.

    Raises:
        DataError: there are none, or they are no names of different columns.
    """
    if not headers:
        raise DataError(f"{path}: empty, a header is needed")
    headers = [header if header.strip() else ROW_NUMBERS for header in headers]
    if nameless := [place for place, header in enumerate(headers, 1) if place > 1 and not header]:
        raise DataError(f"{path}: column {nameless[0]} has no name in the header")
    if all(_is_number(header) for header in headers):
        raise DataError(f"{path}: the first line holds numbers, a header is needed")
    if twice := [header for header in headers if headers.count(header) > 1]:
        raise DataError(f"{path}: two columns are named {twice[0]!r}")
    return headers


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True

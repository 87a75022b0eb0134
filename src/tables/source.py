"""A CSV file as texts: every cell as it is written, or what is wrong with the file."""

import csv
import io
from pathlib import Path

import pandas as pd

from src.errors import DataError


def read_texts(path: Path) -> pd.DataFrame:
    """Return the CSV at `path`, its headers as they are spelled and each cell as the text that it is.

    Raises:
        DataError: it cannot be read as a table; no row is ever skipped.
    """
    try:
        content = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 text, see byte {error.start + 1}; save it as UTF-8") from error
    headers, rows = _check_rows(path, content)
    try:
        table = pd.read_csv(io.StringIO(content, newline=""), dtype=str, na_filter=False, index_col=False)
    except pd.errors.ParserError as error:  # text that both take for a table, each in its own way
        raise DataError(f"{path}: not a table: {' '.join(str(error).split())}") from error
    if len(table) != rows or list(table.columns) != headers:  # a lone quoted blank is a row to one of them
        raise DataError(f"{path}: has lines with nothing but a quoted blank; remove them")
    return table


def _check_rows(path: Path, content: str) -> tuple[list[str], int]:
    """Return the headers and the number of rows; pandas renames double headers and fills up short rows."""
    if "\0" in content:
        raise DataError(f"{path}: holds NUL bytes; this is not a CSV")
    reader = csv.reader(io.StringIO(content, newline=""), strict=True)
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
    if not headers:
        raise DataError(f"{path}: empty, a header is needed")
    if nameless := [place for place, header in enumerate(headers, 1) if not header.strip()]:
        raise DataError(f"{path}: column {nameless[0]} has no name in the header")
    if all(_is_number(header) for header in headers):
        raise DataError(f"{path}: the first line holds numbers, a header is needed")
    if twice := [header for header in headers if headers.count(header) > 1]:
        raise DataError(f"{path}: two columns are named {twice[0]!r}")
    if not rows:
        raise DataError(f"{path}: no rows below the header")
    return headers, rows


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True

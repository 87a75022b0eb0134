"""The rows of a part, some at a time: columns of Arrow, and the places of what is no row."""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from src.errors import DataError
from src.scoring.inputs import Input, Part
from src.scoring.records import Record, records

ROWS = 2**15  # at a time


class Rejected(NamedTuple):
    """A row without an answer, or one reason more for the same."""

    row: int  # in its file, the first is 1
    line: int | None  # of CSV
    column: str  # "" when it is no row at all
    reason: str


class Batch(NamedTuple):
    """Some rows of a file."""

    table: pa.Table  # the columns that were asked for
    rows: NDArray[np.int64]  # their numbers in the file, the first is 1
    lines: NDArray[np.int64] | None  # of CSV
    rejected: list[Rejected]  # what stands between them and is no row


def read_part(one: Input, part: Part, headers: Sequence[str]) -> Iterator[Batch]:
    """Yield the rows of `part`, a part of `one`, with the columns `headers`.

    Raises:
        DataError: the file is damaged, or not what it was when its parts were found.
    """
    try:
        yield from (_parquet if one.kind == "parquet" else _csv)(one, part, headers)
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{one.name}: {' '.join(str(error).split())[:200]}") from error


def _parquet(one: Input, part: Part, headers: Sequence[str]) -> Iterator[Batch]:
    with pq.ParquetFile(one.path) as file:
        place, end = -part.skipped, part.rows
        batches = file.iter_batches(
            ROWS, range(part.start, part.stop), columns=list(headers), use_threads=False
        )
        for batch in batches:
            begin, place = place, place + len(batch)
            table = pa.table(batch)[max(-begin, 0) : max(end - begin, 0)]
            if len(table):
                first = part.row + max(begin, 0)
                yield Batch(table, np.arange(first, first + len(table)), None, [])
            if place >= end:
                return


def _csv(one: Input, part: Part, headers: Sequence[str]) -> Iterator[Batch]:
    with Path(one.path).open("rb") as file:
        file.seek(part.start)
        text = file.read(part.stop - part.start).decode(one.encoding, "surrogateescape")
    places = [one.headers.index(header) for header in headers]
    found = enumerate(records(text, one.delimiter, len(one.headers)))
    suspect = "\0" in text or any("\ud800" <= letter <= "\udfff" for letter in set(text))
    some, first = list(islice(found, ROWS)), True
    while some or first:  # a part without a row is one, too
        rejected, good = [], []
        for place, record in some:
            wrong = record.wrong or (_wrong_letters(record, one.encoding) if suspect else "")
            if wrong:
                rejected.append(Rejected(part.row + place, part.line + record.line, "", wrong))
            else:
                good.append((place, record))
        cells = list(zip(*(record.cells for _, record in good), strict=True)) or [()] * len(one.headers)
        yield Batch(
            pa.table({header: pa.array(cells[place], pa.string()) for header, place in zip(headers, places)}),
            np.array([part.row + place for place, _ in good], dtype=np.int64),
            np.array([part.line + record.line for _, record in good], dtype=np.int64),
            rejected,
        )
        some, first = list(islice(found, ROWS)), False


def _wrong_letters(record: Record, encoding: str) -> str:
    text = "".join(record.cells)
    if "\0" in text:
        return "holds NUL bytes"
    try:
        text.encode()
    except UnicodeEncodeError:
        return f"holds bytes that are not {'UTF-8' if encoding == 'utf-8' else 'Windows-1252'}"
    return ""

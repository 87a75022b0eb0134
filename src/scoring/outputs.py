"""Answers as files: the parts that are written side by side, and one file of them all."""

import csv
import io
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from src.errors import DataError
from src.scoring.reading import Rejected

FORMATS = ("parquet", "csv", "jsonl")
REJECTED_HEADER = ("file", "row", "line", "column", "reason")
_CSV = pyarrow.csv.WriteOptions(include_header=False, quoting_style="needed")

Write = Callable[[pa.Table], None]


@contextmanager
def open_output(path: Path, kind: str, lineage: Mapping[str, str]) -> Iterator[Write]:
    """Give what appends rows to a new file at `path`; all tables have the same columns, one is needed.

    `lineage` goes into the metadata of Parquet.
    """
    if kind == "parquet":
        with _Parquet(path, lineage) as writer:
            yield writer.write
    else:
        with path.open("xb") as file:
            yield _write_csv(file) if kind == "csv" else _write_lines(file)


class _Parquet:
    def __init__(self, path: Path, lineage: Mapping[str, str]) -> None:
        self._path, self._lineage = path, dict(lineage)
        self._writer: pq.ParquetWriter | None = None

    def __enter__(self) -> "_Parquet":
        return self

    def __exit__(self, *_: object) -> None:
        if self._writer is not None:
            self._writer.close()

    def write(self, table: pa.Table) -> None:
        if self._writer is None:
            schema = table.schema.with_metadata(self._lineage)
            self._writer = pq.ParquetWriter(self._path, schema, compression="zstd")
        self._writer.write_table(table.replace_schema_metadata(self._lineage))


def _write_csv(file: io.BufferedWriter) -> Write:
    def write(table: pa.Table) -> None:
        if not file.tell():
            file.write(csv_line(table.column_names))
        content = pa.BufferOutputStream()
        try:
            pyarrow.csv.write_csv(_plain(table), content, _CSV)
        except pa.ArrowException as error:
            raise DataError(f"cannot be written as CSV: {' '.join(str(error).split())[:200]}") from error
        file.write(content.getvalue())

    return write


def _write_lines(file: io.BufferedWriter) -> Write:
    def write(table: pa.Table) -> None:
        rows = table.to_pylist()
        file.write("".join(f"{json.dumps(row, ensure_ascii=False, default=str)}\n" for row in rows).encode())

    return write


def _plain(table: pa.Table) -> pa.Table:
    """Return `table` with texts in place of codes, which a CSV has not."""
    kinds = [
        field.with_type(field.type.value_type) if pa.types.is_dictionary(field.type) else field
        for field in table.schema
    ]
    return table.cast(pa.schema(kinds))


def csv_line(cells: Sequence[object]) -> bytes:
    """Return one line of CSV."""
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue().encode("utf-8", "backslashreplace")


def write_rejected(name: str, rejected: Sequence[Rejected]) -> bytes:
    """Return the lines that say what was `rejected` of the file `name`."""
    return b"".join(csv_line((name, *fault)) for fault in rejected)


def join(parts: Sequence[Path], out: Path, kind: str) -> None:
    """Write the new file `out` of all `parts`, in their order."""
    if kind == "parquet":
        schema = pq.read_schema(parts[0])
        with pq.ParquetWriter(out, schema, compression="zstd") as writer:
            for part in parts:
                with pq.ParquetFile(part, read_dictionary=_dictionaries(schema)) as file:
                    for group in range(file.num_row_groups):
                        writer.write_table(file.read_row_group(group).cast(schema))
        return
    with out.open("xb") as whole:
        for part in parts:
            with part.open("rb") as file:
                if kind == "csv" and whole.tell():
                    file.seek(_header_length(part))
                shutil.copyfileobj(file, whole, 2**20)


def _header_length(path: Path) -> int:
    """Return how many bytes the header of the CSV at `path` is, which may have a line's end in a name."""
    with path.open(encoding="utf-8", newline="") as file:
        names = next(csv.reader(file))
    return len(csv_line(names))


def _dictionaries(schema: pa.Schema) -> list[str]:
    return [field.name for field in schema if pa.types.is_dictionary(field.type)]

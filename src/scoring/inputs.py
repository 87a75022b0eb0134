"""The files to score: which they are, what is in them, and the parts that they are scored in."""

import codecs
import csv
import hashlib
import io
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq

from src.errors import DataError
from src.scoring.records import records
from src.strict_model import StrictModel
from src.tables.dialect import BYTE_ORDER_MARKS, find_delimiter
from src.tables.origin import table_files
from src.tables.parquet import is_parquet
from src.tables.source import ROW_NUMBERS, check_headers

PART_ROWS = 2**18  # of Parquet, about
PART_BYTES = 8 * 2**20  # of CSV, about
SAMPLE = 2**20  # bytes that tell how a file is written
_GZIP, _ZSTD, _ZIP = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PK\x03\x04"


class Input(StrictModel):
    """One file, as it is read; compressed ones and those in UTF-16 are unpacked to another first."""

    name: str  # as the user named it
    path: str  # of what is read
    digest: str  # SHA-256 of the file that was named
    kind: Literal["csv", "parquet"]
    headers: tuple[str, ...]
    delimiter: str = ","
    encoding: str = "utf-8"
    body: int = 0  # of CSV, the byte where the rows begin
    first_line: int = 2  # of CSV, the line where the rows begin

    @property
    def named(self) -> tuple[str, ...]:
        """The headers but that of row numbers, which is blank."""
        return tuple(header for header in self.headers if header != ROW_NUMBERS)


class Part(StrictModel):
    """Rows that are scored in one go, and written to one file."""

    number: int
    file: int  # which of the inputs
    row: int  # of its first row in the file, the first is 1
    rows: int
    start: int  # of CSV, bytes of what is read; of Parquet, row groups
    stop: int
    skipped: int = 0  # of Parquet, rows of the first row group that come before
    line: int = 0  # of CSV, the line of its first row
    size: int  # bytes, about


def find_files(pattern: str, output: Path) -> list[Path]:
    """Return the files that `pattern` names: a file, a folder of tables, or a pattern such as `day/*.csv`.

    What was written to `output` before is none of them.

    Raises:
        DataError: there is none.
    """
    if Path(pattern).is_file():
        return [Path(pattern)]
    made = os.path.realpath(output)
    found = [file for file in table_files(pattern) if not file.name.startswith("_")]
    if files := [file for file in found if os.path.realpath(file) != made]:
        return files
    raise DataError(f"{pattern}: no other file than the output")


def digest(path: Path) -> str:
    """Return the SHA-256 of the file at `path`; raises DataError when it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}") from error


def open_input(path: Path, of_file: str, unpacked: Path) -> Input:
    """Return how the file at `path`, of SHA-256 `of_file`, is read; what cannot be as it is, is `unpacked`.

    Raises:
        DataError: it is no table.
    """
    if is_parquet(path):
        try:
            headers = pq.read_schema(path).names
        except (OSError, pa.ArrowException) as error:
            raise DataError(f"{path}: {' '.join(str(error).split())[:200]}") from error
        if twice := [header for header in headers if headers.count(header) > 1]:
            raise DataError(f"{path}: two columns are named {twice[0]!r}")
        return Input(
            name=str(path), path=str(path.resolve()), digest=of_file, kind="parquet", headers=tuple(headers)
        )
    plain = _unpacked(path, unpacked)
    with plain.open("rb") as file:
        head = file.read(SAMPLE)
        if len(head) == SAMPLE:
            head = head[: max(head.rfind(b"\n"), head.rfind(b"\r")) + 1] or head
    marked = head.startswith(b"\xef\xbb\xbf")
    encoding = "utf-8" if plain == unpacked or _is_utf8(head) else "cp1252"
    text = head[3 * marked :].decode(encoding, "surrogateescape")
    if "\0" in text[:1000]:
        raise DataError(f"{path}: holds NUL bytes; this is no table")
    delimiter = find_delimiter(text)
    lines = io.StringIO(text, newline="")
    reader = csv.reader(iter(lines.readline, ""), delimiter=delimiter, strict=True)
    try:
        header = next((cells for cells in reader if len(cells) > 1 or "".join(cells).strip()), [])
    except csv.Error as error:
        raise DataError(f"{path}: line {reader.line_num}: {error}") from error
    return Input(
        name=str(path),
        path=str(plain.resolve()),
        digest=of_file,
        kind="csv",
        headers=tuple(check_headers(path, header)),
        delimiter=delimiter,
        encoding=encoding,
        body=3 * marked + len(text[: lines.tell()].encode(encoding, "surrogateescape")),
        first_line=reader.line_num + 1,
    )


def parts_of(inputs: Sequence[Input]) -> Iterator[Part]:
    """Yield the parts of `inputs`, the same for the same files."""
    number = 0
    for place, one in enumerate(inputs):
        for part in _parquet_parts(one, place) if one.kind == "parquet" else _csv_parts(one, place):
            yield part.model_copy(update={"number": number})
            number += 1


def _parquet_parts(one: Input, place: int) -> Iterator[Part]:
    """Yield row groups, several small ones together, a large one in pieces."""
    found = pq.read_metadata(one.path)
    groups = [found.row_group(group) for group in range(found.num_row_groups)]
    row, start = 1, 0
    while start < len(groups):
        stop, rows = start + 1, groups[start].num_rows
        while stop < len(groups) and rows + groups[stop].num_rows <= PART_ROWS:
            rows += groups[stop].num_rows
            stop += 1
        size = Path(one.path).stat().st_size * rows // found.num_rows
        pieces = max(round(rows / (4 * PART_ROWS)), 1)
        for piece in range(pieces):
            begin, end = rows * piece // pieces, rows * (piece + 1) // pieces
            if end > begin:
                yield Part(
                    number=0, file=place, row=row + begin, rows=end - begin, start=start, stop=stop,
                    skipped=begin, size=size // pieces,
                )  # fmt: skip
        row, start = row + rows, stop


def _csv_parts(one: Input, place: int) -> Iterator[Part]:
    """Yield pieces that end where a record does."""
    row, line, start, left = 1, one.first_line, one.body, b""
    with open(one.path, "rb") as file:
        file.seek(one.body)
        while True:
            read = file.read(PART_BYTES)
            block = left + read
            if not block:
                return
            text, lines, rows = _whole_records(one, block, is_whole=not read)
            if text:
                stop = start + len(text)
                yield Part(
                    number=0, file=place, row=row, rows=rows, start=start, stop=stop,
                    line=line, size=len(text),
                )  # fmt: skip
                row, line, start = row + rows, line + lines, stop
            left = block[len(text) :]


def _whole_records(one: Input, block: bytes, is_whole: bool) -> tuple[bytes, int, int]:
    """Return what of `block` are whole records, how many lines that is, and how many records."""
    if not is_whole:
        block = block[: (block.rfind(b"\n") if b"\n" in block else block.rfind(b"\r", 0, -1)) + 1]
    text = block.decode(one.encoding, "surrogateescape")
    lines = list(io.StringIO(text, newline=""))
    if '"' not in text:
        return block, len(lines), sum(1 for line in lines if line.strip() or one.delimiter in line)
    rows = end = 0
    for record in records(text, one.delimiter, len(one.headers), is_whole):
        rows, end = rows + 1, record.end
    if is_whole:
        return block, len(lines), rows
    return "".join(lines[:end]).encode(one.encoding, "surrogateescape"), end, rows


def _unpacked(path: Path, unpacked: Path) -> Path:
    """Return `path`, or `unpacked` with the same in UTF-8 and not compressed."""
    with path.open("rb") as file:
        head = file.read(4)
    if head == _ZIP:
        raise DataError(f"{path}: an archive (zip or Excel); save the table as CSV, gzip, zstd or Parquet")
    compression = "gzip" if head[:2] == _GZIP else "zstd" if head == _ZSTD else None
    if compression is None and head[:2] not in BYTE_ORDER_MARKS:
        return path
    try:
        with pa.input_stream(str(path), compression=compression) as stream, unpacked.open("wb") as file:
            first = stream.read(SAMPLE)
            encoding = BYTE_ORDER_MARKS.get(first[:2]) or ("utf-8-sig" if _is_utf8(first) else "cp1252")
            decoder = io.IncrementalNewlineDecoder(_decoder(encoding), translate=False)
            while first:
                file.write(decoder.decode(first).encode("utf-8", "surrogateescape"))
                first = stream.read(SAMPLE)
            file.write(decoder.decode(b"", final=True).encode("utf-8", "surrogateescape"))
    except (OSError, UnicodeError, pa.ArrowException) as error:
        raise DataError(f"{path}: damaged: {' '.join(str(error).split())[:200]}") from error
    return unpacked


def _decoder(encoding: str) -> codecs.IncrementalDecoder:
    return codecs.getincrementaldecoder(encoding)("surrogateescape" if encoding != "utf-16" else "strict")


def _is_utf8(sample: bytes) -> bool:
    """Return whether `sample`, which may end within a letter, is UTF-8: with such letters, or only ASCII."""
    text = sample.decode("utf-8", "surrogateescape")
    letters = sum(1 for letter in text if letter > "\x7f" and not "\udc80" <= letter <= "\udcff")
    wrong = sum(1 for letter in text[:-3] if "\udc80" <= letter <= "\udcff")
    return letters > 0 or wrong == 0

"""How a file of texts is written: compressed or not, its encoding, its delimiter, its decimal comma.

All of it is found out, and what is not as we write files ourselves is said.
"""

import csv
import gzip
import io
import re
import zlib
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from src.errors import DataError

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
SAMPLE_LINES = 50
MAX_BYTES = 4 * 2**30  # of a decompressed file
BYTE_ORDER_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+", flags=re.ASCII)
_NUMBER = re.compile(r"[+-]?\d+(?:,\d+)?", flags=re.ASCII)


class Text(NamedTuple):
    """The content of a file, and how it was written where that is not UTF-8 with commas."""

    content: str
    delimiter: str
    remarks: tuple[str, ...]


def read_text(path: Path) -> Text:
    """Return the text of the file at `path`.

    Raises:
        DataError: it cannot be read, is damaged, or is compressed in a way that we do not know.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}") from error
    remarks = []
    if content[:2] == b"\x1f\x8b":
        content = _decompressed(path, content)
        remarks.append("compressed with gzip")
    elif content[:4] in (b"\x28\xb5\x2f\xfd", b"PK\x03\x04"):
        raise DataError(f"{path}: an archive (zip, Excel or zstd); save the table as CSV, gzip or Parquet")
    text, encoding = _decoded(content)
    if encoding:
        remarks.append(encoding)
    delimiter = find_delimiter(text)
    if delimiter != ",":
        remarks.append(f"values parted by {DELIMITERS[delimiter]}")
    return Text(text, delimiter, tuple(remarks))


def find_delimiter(text: str) -> str:
    """Return what parts the values: what parts most of the first lines into equally many, the header too."""
    lines = text.split("\n", SAMPLE_LINES)[:SAMPLE_LINES]
    best, most = ",", 1.0
    for delimiter in DELIMITERS:
        try:
            widths = [len(row) for row in csv.reader(lines, delimiter=delimiter) if row]
        except csv.Error:
            continue
        if not widths or widths[0] < 2:
            continue
        width, alike = Counter(widths).most_common(1)[0]
        if width == widths[0] and width * alike / len(widths) > most:
            best, most = delimiter, width * alike / len(widths)
    return best


def with_decimal_points(texts: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Return `texts` with points in the numbers of columns that have commas, and the headers of these."""
    changed = {}
    for header in texts.columns:
        values = [value.strip() for value in texts[header].unique() if value.strip()]
        if any(map(DECIMAL_COMMA.fullmatch, values)) and all(map(_NUMBER.fullmatch, values)):
            changed[header] = texts[header].str.replace(",", ".", regex=False)
    return texts.assign(**changed) if changed else texts, list(map(str, changed))


def _decompressed(path: Path, content: bytes) -> bytes:
    try:
        with gzip.open(io.BytesIO(content)) as file:
            plain = file.read(MAX_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: damaged gzip: {error}") from error
    if len(plain) > MAX_BYTES:
        raise DataError(f"{path}: decompressed it is larger than {MAX_BYTES // 2**30} GiB")
    return plain


def _decoded(content: bytes) -> tuple[str, str]:
    """Return the text, and its encoding where it is not UTF-8."""
    if encoding := BYTE_ORDER_MARKS.get(content[:2]):
        try:
            return content.decode(encoding), "in UTF-16"
        except UnicodeDecodeError:
            pass
    try:
        return content.decode("utf-8-sig"), ""
    except UnicodeDecodeError as error:
        # What nobody says is most often Windows' encoding; Latin-1 takes the few bytes that it does not know.
        at = f"not UTF-8 (byte {error.start + 1}), read as Windows-1252: look at its letters"
        try:
            return content.decode("cp1252"), at
        except UnicodeDecodeError:
            return content.decode("latin-1"), at.replace("Windows-1252", "Latin-1")

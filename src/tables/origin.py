"""Where a table comes from: a file, a folder or pattern of files, an example, an address, or a query."""

import glob
import os
import re
import tempfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import pandas as pd

from src.errors import ConfigError, DataError
from src.tables.parquet import as_texts
from src.tables.source import Source, read_source_file
from src.validation import without_credentials

EXAMPLES = ("breast_cancer", "diabetes", "digits", "iris", "wine")  # that scikit-learn brings
DATABASES = ("mssql", "mysql", "oracle", "postgresql", "sqlite")
TABLE_SUFFIXES = (".csv", ".gz", ".parquet", ".pq", ".tsv", ".txt")

_ADDRESS = re.compile(r"([a-z][a-z0-9+.-]+)://")
_VARIABLE = re.compile(r"\$(\w+|\{\w+\})")


class Kind(NamedTuple):
    """One kind of source."""

    matches: Callable[[str], bool]
    read: Callable[[str, str | None], Source]


def read_source(source: str, query: str | None = None) -> Source:
    """Return the table that `source` names, and what is to be said of how it came.

    `$NAME` in it is that variable of the environment, so that no password stands in a file. `query` is what
    a database is asked.

    Raises:
        ConfigError: a variable is not set, or a query is missing or asked of what is no database.
        DataError: there is no such table, or it cannot be read as one.
    """
    address = _VARIABLE.sub(_value, source)
    kind = next(kind for kind in KINDS if kind.matches(address))
    if (query is not None) != (kind is DATABASE):
        needs = "a database needs one" if query is None else "only a database answers one"
        raise ConfigError(f"data.query: {needs}; data.source is {without_credentials(address)}")
    return kind.read(address, query)


def _value(match: re.Match[str]) -> str:
    name = match[1].strip("{}")
    if name not in os.environ:
        raise ConfigError(f"data.source: the environment variable {name} is not set")
    return os.environ[name]


def _scheme(address: str) -> str:
    found = _ADDRESS.match(address)
    return "" if found is None else found[1]


def _example(name: str, query: str | None) -> Source:
    import sklearn.datasets

    table = getattr(sklearn.datasets, f"load_{name}")(as_frame=True)
    frame: pd.DataFrame = table.frame
    if "target_names" in table and name != "digits":
        frame = frame.assign(target=[str(table.target_names[place]) for place in table.target])
    return Source(as_texts(Path(name), frame), (f"an example of scikit-learn, {len(frame)} rows",))


def _rows_of_a_query(address: str, query: str | None) -> Source:
    import sqlalchemy
    from sqlalchemy.exc import SQLAlchemyError

    where = without_credentials(address)
    try:
        engine = sqlalchemy.create_engine(address, poolclass=sqlalchemy.pool.NullPool)
        with engine.connect() as connection:
            result = connection.execute(sqlalchemy.text(str(query)))
            if not result.returns_rows:
                raise DataError(f"{where}: data.query returns no rows; write a SELECT")
            headers, rows = list(result.keys()), [tuple(row) for row in result]
    except (SQLAlchemyError, ImportError, OSError) as error:
        text = " ".join(str(getattr(error, "orig", None) or error).split())
        raise DataError(f"{where}: {without_credentials(text)[:300]}") from error
    if len(set(headers)) < len(headers) or not all(headers):
        raise DataError(f"{where}: data.query gives two columns one name, or none; name them with AS")
    if not rows:
        raise DataError(f"{where}: data.query found no rows")
    columns = {
        header: pd.Series([row[place] for row in rows], dtype=object) for place, header in enumerate(headers)
    }
    return Source(as_texts(Path(where), pd.DataFrame(columns)), (f"{len(rows)} rows of a query",))


def _downloaded(address: str, query: str | None) -> Source:
    import fsspec

    where = without_credentials(address)
    try:
        with fsspec.open(address, "rb") as remote, tempfile.TemporaryDirectory() as folder:
            local = Path(folder) / (PurePosixPath(where.partition("?")[0]).name or "table")
            with local.open("wb") as file:
                while block := remote.read(2**20):
                    file.write(block)
            found = read_source_file(local)
    except DataError as error:
        raise DataError(f"{where}: {str(error).partition(': ')[2]}") from error
    except Exception as error:  # each kind of storage has its own
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DataError(f"{where}: cannot be read: {without_credentials(reason)[:300]}") from error
    return Source(found.texts, ("downloaded", *found.remarks))


def table_files(pattern: str) -> list[Path]:
    """Return the files that `pattern` names, a folder of tables or a pattern such as `day/*.csv`, sorted.

    Raises:
        DataError: there is none.
    """
    folder = Path(pattern)
    if folder.is_dir():
        paths = [path for path in folder.iterdir() if path.suffix in TABLE_SUFFIXES and path.is_file()]
    else:
        paths = [path for path in map(Path, glob.glob(pattern, recursive=True)) if path.is_file()]
    paths = sorted(path for path in paths if not path.name.startswith("."))
    if not paths:
        known = f"files that end in {', '.join(TABLE_SUFFIXES)}" if folder.is_dir() else "such files"
        raise DataError(f"{pattern}: no {known}")
    return paths


def _files(pattern: str, query: str | None) -> Source:
    paths = table_files(pattern)
    found = [read_source_file(path) for path in paths]
    headers = list(found[0].texts.columns)
    for path, one in zip(paths, found, strict=True):
        if differing := set(headers).symmetric_difference(one.texts.columns):
            raise DataError(f"{path}: its columns are not those of {paths[0]}: {sorted(differing)[0]!r}")
    texts = pd.concat([one.texts[headers] for one in found], ignore_index=True)
    remarks = dict.fromkeys(remark for one in found for remark in one.remarks)
    return Source(texts, (f"{len(paths)} files, {len(texts)} rows", *remarks))


def _is_pattern(source: str) -> bool:
    path = Path(source)
    return path.is_dir() or (any(mark in source for mark in "*?[") and not path.exists())


DATABASE = Kind(lambda source: _scheme(source).partition("+")[0] in DATABASES, _rows_of_a_query)
KINDS = (
    DATABASE,
    Kind(lambda source: _scheme(source) != "", _downloaded),
    Kind(lambda source: source in EXAMPLES and not Path(source).exists(), _example),
    Kind(_is_pattern, _files),
    Kind(lambda source: True, lambda source, query: read_source_file(Path(source))),
)

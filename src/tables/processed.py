"""The files of `data/processed/`: what `prepare` writes and later stages read, and what it was made from."""

import csv
import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import ValidationError

from src import paths
from src.disk.files import write_file
from src.errors import DataError
from src.params import DataParams
from src.schema.columns import Schema
from src.strict_model import StrictModel
from src.tables.frames import Prepared, to_schema_frame
from src.tables.source import read_texts


class Recipe(StrictModel):
    """`prepared.json`: the parameters and the snapshot that the prepared tables were made from."""

    data: DataParams
    raw_digest: str  # SHA-256 of the snapshot in `data/raw`
    test_digest: str  # SHA-256 of the rows held out from it

    def is_of(self, data: DataParams) -> bool:
        """Return whether `data` and the snapshot as it is now would give the same tables."""
        return self.data == data and self.raw_digest == digest(data.raw)

    def difference(self, data: DataParams) -> str:
        """Return what is not as `data` and the snapshot are now."""
        before, now = self.data.model_dump(), data.model_dump()
        other = [f"data.{key} {before[key]!r}, now {now[key]!r}" for key in now if before[key] != now[key]]
        return ", ".join(other) or f"another {data.raw}"


def write_prepared(prepared: Prepared, data: DataParams) -> Recipe:
    """Write `data/processed/`; the recipe last, so that a part of it is never taken for the whole."""
    paths.PREPARED.unlink(missing_ok=True)
    write_file(paths.TRAIN, to_bytes(prepared.train))
    write_file(paths.TEST, to_bytes(prepared.test))
    write_file(paths.SCHEMA, prepared.schema_file())
    blocks = pd.Series(() if prepared.blocks is None else prepared.blocks, dtype=np.int64, name="block")
    write_file(paths.BLOCKS, to_bytes(blocks.to_frame()))
    recipe = Recipe(data=data, raw_digest=digest(data.raw), test_digest=digest(paths.TEST))
    write_file(paths.PREPARED, (recipe.model_dump_json(indent=2) + "\n").encode())
    return recipe


def read_recipe() -> Recipe:
    """Return what `data/processed/` was made from; raises DataError when it cannot be told."""
    try:
        return Recipe.model_validate_json(paths.PREPARED.read_bytes())
    except FileNotFoundError as error:
        raise DataError(f"{paths.PREPARED}: no such file; run python -m src.data.prepare first") from error
    except ValidationError as error:
        raise DataError(f"{paths.PREPARED}: not of this version; run python -m src.data.prepare") from error


def load_prepared() -> Prepared:
    """Return the tables of `data/processed/`; raises DataError."""
    try:
        schema = Schema.model_validate_json(paths.SCHEMA.read_bytes())
    except (OSError, ValidationError) as error:
        raise DataError(f"{paths.SCHEMA}: damaged; run python -m src.data.prepare") from error
    train, test = read_prepared(paths.TRAIN, schema), read_prepared(paths.TEST, schema)
    return Prepared(schema, train, test, _read_blocks(len(train)))


def _read_blocks(rows: int) -> NDArray[np.int64] | None:
    try:
        blocks = np.array([int(line) for line in paths.BLOCKS.read_text().split()[1:]], dtype=np.int64)
    except (OSError, ValueError) as error:
        raise DataError(f"{paths.BLOCKS}: damaged; run python -m src.data.prepare") from error
    if len(blocks) not in (0, rows):
        raise DataError(f"{paths.BLOCKS}: {len(blocks)} rows, {paths.TRAIN} has {rows}; prepare again")
    return blocks if len(blocks) else None


def read_prepared(path: Path, schema: Schema) -> pd.DataFrame:
    """Return a table that `write_prepared` wrote, equal to what it was.

    Raises:
        DataError: as `read_texts` and `to_schema_frame` do.
    """
    return to_schema_frame(read_texts(path), schema)


def to_bytes(table: pd.DataFrame) -> bytes:
    """Return `table` as CSV whose bytes depend on nothing but its values."""
    content = table.to_csv(index=False, lineterminator="\n")
    if "\r" in content:  # Python 3.11 leaves a text with a carriage return without quotes
        content = table.to_csv(index=False, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    return content.encode()


def digest(path: Path) -> str:
    """Return the SHA-256 of a file, 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

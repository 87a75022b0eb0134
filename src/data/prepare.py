"""Stage `prepare`: check the source table, keep a copy of it, and split it into train and test."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from src import logs, paths, tables
from src.config import load_params
from src.errors import exit_on_error
from src.lock import folder_locked
from src.schema import slug

logger = logging.getLogger(__name__)


def remarks(table: pd.DataFrame, target: str) -> Iterator[str]:
    """Yield one line for each thing in `table` that is no error, but that its owner should know.

    `target` may be a header or a slug.
    """
    if copies := int(table.duplicated().sum()):
        yield f"{copies} rows repeat another one" if copies > 1 else "1 row repeats another one"
    for header, values in table.items():
        if slug(str(header)) == slug(target):
            continue
        present = values.dropna()
        if missing := len(values) - len(present):
            yield f"column {header!r}: {missing} of {len(values)} values are missing"
        if present.nunique() == 1:
            yield f"column {header!r}: every value is {present.iloc[0]}, the model learns nothing from it"
        if not pd.api.types.is_numeric_dtype(values.dtype):
            numbers = pd.to_numeric(present.astype(object), errors="coerce")
            wrong = present[numbers.isna()]
            if 0 < len(wrong) < len(present) / 2:
                yield f"column {header!r}: text because of {wrong.iloc[0]!r}; the other values are numbers"


def balance(values: pd.Series) -> str:
    """Return the classes and their shares, the commonest first."""
    shares = (
        values.value_counts(normalize=True, sort=False)
        .sort_index()
        .sort_values(ascending=False, kind="stable")
    )
    return ", ".join(f"{name} {share:.1%}" for name, share in shares.items())


def main() -> None:
    logs.setup()
    data = load_params().data
    table = tables.read_source(Path(data.source), data)
    prepared = tables.prepared(table, data)
    for remark in remarks(table, data.target):
        logger.warning(remark)
    logger.info("classes: %s", balance(table[prepared.schema.target_header]))
    paths.TRAIN.parent.mkdir(parents=True, exist_ok=True)
    with folder_locked(paths.TRAIN.parent):  # a training meanwhile sees all of these files, or none
        tables.write(data.raw, Path(data.source).read_bytes())
        for path, content in prepared.files().items():
            tables.write(path, content)
    train, test = len(prepared.train), len(prepared.test)
    logger.info(
        "prepared %s: %d rows to train, %d held out, in %s", data.source, train, test, paths.TRAIN.parent
    )


if __name__ == "__main__":
    exit_on_error(main)

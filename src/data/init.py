"""Look at a table: print what is in it, and write parameters to train on it, each doubt as a comment."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any

import pandas as pd
import yaml

from src import logs, paths
from src.cli import Parser
from src.data.remarks import doubts, of_doubts, remarks
from src.disk.files import write_file
from src.errors import ConfigError, DataError, exit_on_error
from src.params import DataParams
from src.progress import step
from src.schema.dates import is_moment
from src.schema.names import find, named, slug
from src.tables import frames
from src.tables.infer import kind_of, why_unusable
from src.tables.origin import read_source
from src.tasks import TASKS, TaskName, side

logger = logging.getLogger(__name__)

MANY_ROWS = 2_000  # from here on boosting is the better start
RARE = 0.1  # share of all other classes below which accuracy says little


def profile(table: pd.DataFrame, target: str) -> str:
    """Return a line per column of `table`: its type, gaps, number of values, and range or commonest texts."""
    rows = [("column", "type", "missing", "different", "values")]
    for header in table.columns:
        values = table[header]
        present = values.dropna()
        kind = _kind(present)
        mark = f"{header} (target)" if header == target else str(header)
        rows.append(
            (
                mark[:40],
                kind,
                f"{values.isna().mean():.1%}" if values.isna().any() else "-",
                f"{present.nunique():,}",
                _values(present, kind),
            )
        )
    widths = [max(len(row[place]) for row in rows) for place in range(4)]
    return "\n".join(
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[4]]).rstrip()
        for row in rows
    )


def parameters(
    source: str,
    query: str | None,
    table: pd.DataFrame,
    target: str,
    task: TaskName,
    suspect: Mapping[str, Sequence[str]],
) -> str:
    """Return the text of a `params.yaml` for `table`; columns that cannot be features are in `data.drop`."""
    useless = {
        header: why
        for header in table.columns
        if header != target and (why := why_unusable(table[header])) is not None
    }
    lines = [
        f"# Made from {source}; look at what stands behind a #, then: make train.",
        "",
        "data:",
        f"  name: {_name(source)} # names the table, the MLflow experiment and the model",
        f"  source: {_yaml(source)}",
        *([] if query is None else [f"  query: {_yaml(query)}"]),
        f"  target: {_yaml(target)}",
        f"  task: {task}",
        "  drop: # columns to leave out" if useless else "  drop: [] # columns to leave out",
        *(f"    - {_yaml(header)} # {why}" for header, why in useless.items()),
        *(
            f"    # - {_yaml(header)} # {'; '.join(said)}"
            for header, said in suspect.items()
            if header not in useless
        ),
        "  ranges: {} # column: [lowest, highest] a request may hold; the others are inferred",
        "  target_missing: drop # or error",
        "  rare_classes: drop # or error: classes that have one row",
        "  test_size: 0.2 # share of the rows held out to measure the model",
        "  random_state: 42",
        "",
        "train:",
        *_train(len(table)),
        "",
        "evaluate: # the gate: what a model must reach to be published",
        *_gate(table[target], task),
    ]
    return "\n".join(lines) + "\n"


def _train(rows: int) -> Iterator[str]:
    if rows >= MANY_ROWS:
        yield "  model: hist_gradient_boosting # docs/experimentation.md lists the others"
        return
    yield "  model: random_forest # docs/experimentation.md lists the others"
    yield "  n_estimators: 200"
    yield "  max_depth: 10"


def _gate(values: "pd.Series[Any]", task: TaskName) -> Iterator[str]:
    if task == "classification" and 1 - values.value_counts(normalize=True).max() < RARE:
        yield "  measure: log_loss # one class is nearly all: accuracy would say little"
        yield "  beat_baseline_by: 0.01"
        return
    primary = TASKS[task].primary_measure
    yield f"  # at_least: {{{primary}: 0.5}} # what you need"
    yield f"  beat_baseline_by: 0.05 # {primary} above that of answering without looking at a row"


def _name(source: str) -> str:
    name = slug(PurePath(source).name.split(".")[0]).encode("ascii", "ignore").decode().strip("_")
    return name if name[:1].isalpha() else f"table_{name}".rstrip("_")


def _yaml(text: str) -> str:
    return yaml.safe_dump(text, allow_unicode=True, width=10_000).removesuffix("...\n").strip()


def _kind(present: "pd.Series[Any]") -> str:
    if present.empty:
        return "empty"
    kind = kind_of(present)
    if kind == "category":
        return "date" if all(is_moment(text.strip()) for text in present.unique()) else "text"
    return kind


def _values(present: "pd.Series[Any]", kind: str) -> str:
    if kind == "empty":
        return ""
    if kind in ("integer", "float"):
        numbers = present.astype(float)
        return f"{numbers.min():g} to {numbers.max():g}, median {numbers.median():g}"
    if kind == "date":
        return f"{present.min()} to {present.max()}"
    common = present.map(str).value_counts().head(3)
    if common.iloc[0] == 1:
        return f"such as {common.index[0][:40]!r}"
    return ", ".join(f"{str(text)[:20]} {count / len(present):.0%}" for text, count in common.items())


def main() -> None:
    parser = Parser("src.data.init", __doc__)
    parser.add_argument(
        "source",
        help="a CSV file of any kind, Parquet, a folder or pattern of them, an example or an address",
    )
    parser.add_argument("--query", help="what a database is asked")
    parser.add_argument("--target", help="the column to predict; default: the last one")
    parser.add_argument("--out", type=Path, default=paths.PARAMS, help="default: %(default)s")
    parser.add_argument("--force", action="store_true", help="replace the file that is there")
    arguments = parser.parse_args()
    logs.setup()
    if arguments.out.exists() and not arguments.force:
        raise ConfigError(f"{arguments.out} is there already; FORCE=1 replaces it, OUT= names another file")
    with step(f"reading {arguments.source}"):
        found = read_source(arguments.source, arguments.query)
    for remark in found.remarks:
        logger.info("%s: %s", arguments.source, remark)
    headers = named(found.texts.columns)
    wanted = arguments.target or str(found.texts.columns[-1])
    name = find(wanted, headers)
    if name is None:
        raise DataError(f"--target: no column {wanted!r}, the table has {', '.join(headers)}")
    target = headers[name]
    data = frames.with_task(
        found.texts,
        DataParams(
            name="table",
            source=arguments.source,
            query=arguments.query,
            target=target,
            drop=(),
            ranges={},
            test_size=0.2,
            random_state=0,
        ),
    )
    table = frames.to_values(found.texts, data)
    task = data.target_task
    if task == "classification":  # its words for missing are still texts
        spelled = table[target].map(data.cells.text)
        table = table.assign(**{target: spelled.where(spelled != "")})
    values = table[target].dropna()
    print(f"{len(table):,} rows, {len(table.columns):,} columns\n\n{profile(table, target)}\n")
    print(f"task: {task}; {side('src.tables.targets', task).summary(values)}\n")
    with step("looking for suspects"):
        suspect = doubts(table, data)
    for remark in (*of_doubts(suspect), *remarks(found.texts, table, data)):
        logger.warning(remark)
    content = parameters(arguments.source, arguments.query, table, target, task, suspect)
    write_file(arguments.out, content.encode())
    print(f"\n{arguments.out} is written; look at it, then: make train")


if __name__ == "__main__":
    exit_on_error(main)

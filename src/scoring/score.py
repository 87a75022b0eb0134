"""Command `score`: predict every row of a CSV file with the model in service, as `/predict` would."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from src import logs
from src.bundle.bundle import Bundle
from src.cli import Parser
from src.config import load_store_settings
from src.disk.files import write_file
from src.errors import BundleError, ConfigError, DataError, exit_on_error
from src.monitoring.background import explainer
from src.progress import step
from src.runtime.predictions import Runtime
from src.runtime.session import load
from src.schema.features import Features
from src.scoring.rows import named_faults, to_rows
from src.store.models import in_models
from src.tables.processed import to_bytes
from src.tables.source import read_texts
from src.tasks import side

SHOWN = 20  # rows on the screen
FORMATS = (".csv", ".jsonl")


def score(bundle: Bundle, texts: pd.DataFrame, explained: bool = False) -> pd.DataFrame:
    """Return the answers to the rows of `texts`, a row each; `explained` adds what each column adds to them.

    Raises:
        DataError: a column is missing, or cells are not as the schema says: no row is left out in silence.
        BundleError: the model came without the distribution that an explanation needs.
    """
    features, faults = to_rows(bundle.schema, texts)
    if faults:
        raise DataError(f"{len(faults)} cells do not match the schema\n{named_faults(faults)}")
    answers = side("src.scoring.answers", bundle.manifest.task)
    runtime = load(bundle)
    predictions = runtime.predict(features)
    table: pd.DataFrame = answers.columns(bundle.schema, predictions, texts.index, bundle.manifest.interval)
    if not explained:
        return table
    scores = [answers.explained_score(predictions, row) for row in range(len(texts))]
    return pd.concat([table, contributions(bundle, runtime, features, scores, texts.index)], axis=1)


def contributions(
    bundle: Bundle, runtime: Runtime, features: Features, scores: Sequence[int], index: pd.Index
) -> pd.DataFrame:
    """Return what the base and each column add to one of the scores of each row, which add up to it."""
    explain, schema = explainer(bundle, runtime.predict), bundle.schema
    if explain is None:
        raise BundleError("the model came without its training distribution, so it cannot be explained")
    found = np.empty((len(features.numeric), len(schema.columns) + 1))
    for row, score in enumerate(scores):
        one = Features(features.numeric[row : row + 1], features.categorical[row : row + 1])
        parts = explain(one)
        found[row] = parts.base[score], *parts.contributions[:, score]
    names = ["contribution_base", *(f"contribution_{name}" for name in schema.names)]
    return pd.DataFrame(found, columns=names, index=index)


def written(texts: pd.DataFrame, answers: pd.DataFrame, out: Path) -> bytes:
    """Return the rows with their answers beside them, in the format that the name of `out` says.

    Raises:
        DataError: the file has a column of the same name as one of the answers.
    """
    if clash := [name for name in answers.columns if name in texts.columns]:
        raise DataError(f"column {clash[0]!r} is there already; rename it, the predictions have that name")
    whole = pd.concat([texts, answers], axis=1)
    if out.suffix == ".csv":
        return to_bytes(whole)
    return "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in whole.to_dict("records")).encode()


def main() -> None:
    parser = Parser("src.scoring.score", __doc__)
    parser.add_argument("file", type=Path, help="a CSV file with the model's columns, in any order")
    parser.add_argument(
        "--explain",
        action="store_true",
        help="add a column contribution_… for each column: what it adds to the score of the prediction",
    )
    parser.add_argument("--out", type=Path, help=f"a {' or '.join(FORMATS)} file; default: the screen")
    arguments = parser.parse_args()
    if arguments.out is not None and arguments.out.suffix not in FORMATS:
        raise ConfigError(f"{arguments.out}: allowed are {', '.join(FORMATS)}")
    logs.setup()
    settings = load_store_settings()
    bundle = in_models(settings)
    if bundle is None:
        raise BundleError(f"{settings.model_dir}: no model is in service yet; make train makes one")
    texts = read_texts(arguments.file)
    try:
        with step(f"predicting {'and explaining ' if arguments.explain else ''}{len(texts)} rows"):
            answers = score(bundle, texts, arguments.explain)
            content = written(texts, answers, arguments.out) if arguments.out else b""
    except DataError as error:
        raise DataError(f"{arguments.file}: {error}") from error
    if arguments.out is None:
        shown = answers.head(SHOWN).set_axis(range(1, min(SHOWN, len(answers)) + 1))
        print(shown.to_string(float_format="{:.4f}".format))
        if len(answers) > SHOWN:
            print(f"… {len(answers) - SHOWN} more rows; OUT=predictions.csv writes all of them")
        return
    write_file(arguments.out, content)
    name = f"{bundle.manifest.name} version {bundle.manifest.version}"
    print(f"{arguments.out} has the {len(answers)} rows of {arguments.file} with the predictions of {name}")


if __name__ == "__main__":
    exit_on_error(main)

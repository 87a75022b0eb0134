"""Command `predict`: predict every row of a small file with the model in service, as `/predict` would."""

import json
from pathlib import Path

import pandas as pd
import pyarrow as pa

from src import logs
from src.bundle.bundle import Bundle
from src.cli import Parser
from src.config import load_store_settings
from src.disk.files import write_file
from src.errors import BundleError, ConfigError, DataError, exit_on_error
from src.progress import step
from src.schema.columns import Schema
from src.schema.features import Features
from src.scoring.model import Scorer
from src.scoring.rows import Fault, places, to_rows
from src.store.models import in_models
from src.tables.processed import to_bytes
from src.tables.source import read_texts

SHOWN = 20  # rows on the screen
FORMATS = (".csv", ".jsonl")
FIRST_LINE = 2  # of the rows: the header is line 1


def predict(bundle: Bundle, texts: pd.DataFrame, explained: bool = False) -> pd.DataFrame:
    """Return the answers to the rows of `texts`, a row each; `explained` adds what each column adds to them.

    Raises:
        DataError: a column is missing, or cells are not as the schema says: no row is left out in silence.
        BundleError: the model came without the distribution that an explanation needs.
    """
    features, faults = rows_of_texts(bundle.schema, texts)
    if faults:
        raise DataError(f"{len(faults)} cells do not match the schema\n{named_faults(faults)}")
    answers = Scorer(bundle, scores=True, explained=explained).answer(features)
    table: pd.DataFrame = pa.table(answers).to_pandas(strings_to_categorical=False)
    return table.astype({"prediction": object}) if bundle.schema.classes else table


def rows_of_texts(schema: Schema, texts: pd.DataFrame) -> tuple[Features, list[Fault]]:
    """Return the rows of `texts`, every cell of it a str, as `to_rows` does; raises as `places` does."""
    found = places(schema, texts.columns)
    columns = {name: pa.array(texts[header].astype(object), pa.string()) for name, header in found.items()}
    return to_rows(schema, columns)


def named_faults(faults: list[Fault], most: int = 10) -> str:
    """Return the first of `faults`, a line each, by the line of the file that they are in."""
    lines = [
        f"line {fault.row + FIRST_LINE}, column {fault.column!r}: {fault.detail}" for fault in faults[:most]
    ]
    more = len(faults) - most
    return "\n".join([*lines, *([f"… and {more} more"] if more > 0 else [])])


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
    parser = Parser("src.scoring.predict", __doc__)
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
            answers = predict(bundle, texts, arguments.explain)
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

"""Stage `train`: fit the model, record it in MLflow, and write the candidate to build/model/."""

import argparse
import logging
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

from src import logs, paths
from src.bundle import bundle as bundles
from src.bundle.bundle import Training
from src.cli import Parser
from src.config import load_store_settings
from src.disk.lock import folder_locked
from src.errors import ConfigError, DataError, exit_on_error
from src.export.families.section import AutoParams
from src.params import DataParams, Params, load_params
from src.progress import step
from src.tables import frames, processed
from src.tables.frames import Prepared
from src.tables.processed import Recipe
from src.tables.source import read_texts
from src.tracking.runs import Dataset, Run, start_run
from src.training.auto import choose, measure_of, table
from src.training.fit import Fitted, fit
from src.training.origin import Origin, git_commit, libraries

logger = logging.getLogger(__name__)

_MLFLOW_TYPES = {
    "boolean": "boolean",
    "category": "string",
    "date": "datetime",
    "float": "double",
    "integer": "long",
}


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the options; what the caller left out is absent, so that None can be asked for."""
    parser = Parser(
        "src.training.train",
        __doc__,
        argument_default=argparse.SUPPRESS,
        epilog="Options replace params.yaml for this run.",
    )
    parser.add_argument("--n-estimators", type=int, metavar="N", dest="train.n_estimators")
    parser.add_argument(
        "--max-depth", type=_integer_or_none, metavar="N", dest="train.max_depth", help="None: unlimited"
    )
    parser.add_argument(
        "--test-size", type=float, metavar="SHARE", dest="data.test_size", help="splits the table again"
    )
    parser.add_argument(
        "--random-state", type=int, metavar="N", dest="data.random_state", help="splits the table again"
    )
    parser.add_argument("--experiment-name", metavar="NAME", help="in MLflow; default: data.name")
    parser.add_argument("--run-name", metavar="NAME", default=None, help="in MLflow; default: one is made up")
    parser.add_argument(
        "--tag", nargs=2, metavar=("K", "V"), action="append", default=[], help="may be given several times"
    )
    return parser.parse_args(arguments)


def options_to_params(options: argparse.Namespace) -> Params:
    """Return `params.yaml` with the options in their place.

    Raises:
        ConfigError: says whether the file or the command line is wrong.
    """
    load_params()
    overrides = {key: value for key, value in vars(options).items() if "." in key}
    try:
        return load_params(overrides=overrides)
    except ConfigError as error:
        raise ConfigError(str(error).replace(f"{paths.PARAMS}:", "command line:", 1)) from error


def prepared_for(data: DataParams, split_again: bool) -> tuple[Prepared, Recipe]:
    """Return the tables that `data` describes: those that `prepare` wrote, or with `split_again` new ones.

    So the rows that are fitted and measured are always those that the recorded parameters describe.

    Raises:
        DataError: the tables on disk are others.
    """
    if not data.raw.is_file():
        raise DataError(f"{data.raw}: no such file; run python -m src.data.prepare first")
    with folder_locked(paths.TRAIN.parent):  # all of its files, or none, are of this split
        recipe = processed.read_recipe()
        if recipe.is_of(data):
            return processed.load_prepared(), recipe
        if not split_again:
            raise DataError(
                f"{paths.TRAIN.parent} was prepared with {recipe.difference(data)};"
                " run python -m src.data.prepare first"
            )
        texts = read_texts(data.raw)
        known = frames.with_task(texts, data)
        prepared = frames.prepared(frames.to_values(texts, known), known)
        recipe = processed.write_prepared(prepared, data)
    logger.info(
        "split %s again into %s: test_size %g, random_state %d",
        data.raw,
        paths.TRAIN.parent,
        data.test_size,
        data.random_state,
    )
    return prepared, recipe


def main() -> None:
    options = parse()
    logs.setup()
    params = options_to_params(options)
    settings = load_store_settings()
    split_again = any(key.startswith("data.") for key in vars(options))
    prepared, recipe = prepared_for(params.data, split_again)
    params.check_task(prepared.schema.task)
    origin = Origin(recipe.raw_digest, recipe.test_digest, git_commit())
    experiment = getattr(options, "experiment_name", params.data.name)
    with ExitStack() as stack:
        with step("opening the record"):
            run = stack.enter_context(
                start_run(
                    settings,
                    experiment=experiment,
                    run_name=options.run_name,
                    tags={
                        "data_digest": origin.data_digest,
                        "git_commit": origin.git_commit or "none",
                        **dict(options.tag),
                    },
                )
            )
        tried = choose(prepared, params.train, params.data) if isinstance(params.train, AutoParams) else []
        if tried:
            params = params.model_copy(update={"train": tried[0].params})
            print(table(tried, prepared.schema))
        fitted = fit(prepared, params)
        with step("recording the run"):
            version = _record(run, fitted, prepared, params, origin)
            if tried:
                measure = measure_of(prepared.schema)
                run.log(
                    metrics={
                        f"cv_{measure}_{place}_{one.params.model}": one.mean
                        for place, one in enumerate(tried, 1)
                    },
                    tags={"chosen_by": f"auto: {measure} in cross-validation of {len(tried)} families"},
                )
        _write_candidate(run, version, origin, fitted, prepared, params)
    name = f"{params.data.model_name(prepared.schema.task)} version {version}"
    print(f"{paths.CANDIDATE} holds {name}; measure it with: python -m src.evaluation.evaluate")


def _record(run: Run, fitted: Fitted, prepared: Prepared, params: Params, origin: Origin) -> str:
    """Return the number of the registered version."""
    schema = prepared.schema
    run.log(params={**_parameters(params), "source": params.data.source, "target": schema.target})
    columns = {column.header: _MLFLOW_TYPES[column.type] for column in schema.columns}
    run.log_dataset(
        Dataset(params.data.name, origin.data_digest, params.data.source, len(prepared.train), columns)
    )
    return run.register(fitted.pipeline, params.data.model_name(schema.task), fitted.rows)


def _write_candidate(
    run: Run, version: str, origin: Origin, fitted: Fitted, prepared: Prepared, params: Params
) -> None:
    schema = prepared.schema
    training = Training(
        name=params.data.model_name(schema.task),
        version=version,
        task=schema.task,
        model_type=type(fitted.pipeline[-1]).__name__,
        exact=fitted.exact,
        n_features=len(schema.columns),
        n_samples=len(prepared.train),
        feature_names=tuple(schema.names),
        target_names=schema.classes,
        mlflow_run_id=run.run_id,
        git_commit=origin.git_commit,
        data_digest=origin.data_digest,
        test_digest=origin.test_digest,
        created_at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        parameters=_parameters(params),
        interval=fitted.interval,
        libraries=libraries(),
    )
    bundles.write_folder(
        paths.CANDIDATE,
        {
            bundles.MODEL: fitted.model,
            bundles.SCHEMA: prepared.schema_file(),
            bundles.PROFILE: bundles.dump_json(fitted.profile.model_dump(mode="json")),
            bundles.EXAMPLE: bundles.dump_json(fitted.example.model_dump(mode="json")),
            paths.TRAINING.name: bundles.dump_json(training.model_dump(mode="json")),
        },
    )


def _parameters(params: Params) -> dict[str, Any]:
    return {
        **params.train.recorded(),
        "test_size": params.data.test_size,
        "random_state": params.data.random_state,
        **{
            f"split_by_{key}": column
            for key, column in (("time", params.data.time), ("group", params.data.group))
            if column is not None
        },
    }


def _integer_or_none(text: str) -> int | None:
    if text == "None":
        return None
    try:
        return int(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is neither a whole number nor None") from error


if __name__ == "__main__":
    exit_on_error(main)

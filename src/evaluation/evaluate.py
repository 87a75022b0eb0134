"""Stage `evaluate`: measure the candidate, seal its bundle, and publish it when the gate passes."""

import logging
from typing import Any

from src import logs, paths
from src.bundle import bundle as bundles
from src.bundle.bundle import Training
from src.cli import Parser
from src.config import StoreSettings, load_store_settings
from src.disk.files import write_file
from src.disk.lock import folder_locked
from src.errors import DataError, exit_on_error
from src.evaluation.card import card
from src.evaluation.gate import judge
from src.evaluation.intervals import bootstrap, interval
from src.params import load_params
from src.progress import step
from src.promotion.publish import publish
from src.runtime.session import open_model
from src.schema.columns import Schema
from src.schema.features import to_features
from src.store.location import locate
from src.tables import processed
from src.tasks import TASKS, side
from src.tracking.runs import resume_run

logger = logging.getLogger(__name__)


def read_candidate() -> tuple[Training, dict[str, bytes]]:
    """Return how the candidate came to be, and its files.

    Raises:
        DataError: there is none, or it was trained for other rows than those held out now.
        BundleError: a file of it cannot be read.
    """
    if not paths.TRAINING.is_file():
        raise DataError(f"{paths.TRAINING}: no such file; run python -m src.training.train first")
    fetch = bundles.folder_fetch(paths.CANDIDATE)
    training = bundles.parse(Training, paths.TRAINING.name, fetch(paths.TRAINING.name))
    files = {name: fetch(name) for name in bundles.FILES if name != bundles.METRICS}
    prepared = bundles.folder_fetch(paths.SCHEMA.parent)
    same_rows = processed.digest(paths.TEST) == training.test_digest
    if not same_rows or prepared(paths.SCHEMA.name) != files[bundles.SCHEMA]:
        raise DataError(
            f"{paths.CANDIDATE} was trained for other rows than {paths.TEST} holds; "
            "run python -m src.training.train again"
        )
    return training, files


def _description(training: Training, measured: Any, settings: StoreSettings) -> str:
    """Return what MLflow shows of the version, and what there puts it into service."""
    name = TASKS[training.task].primary_measure
    value, baseline = getattr(measured, name), getattr(measured.baseline, name)
    if locate(settings).kind == "server":
        rule = "The version with the alias champion is in service, once it is published."
    else:
        rule = (
            "Serving follows the model store, not the alias of this page: "
            f"make promote VERSION={training.version} puts this version into service."
        )
    return f"{name} {value:.4f}, baseline {baseline:.4f}, on {measured.rows} held-out rows.\n\n{rule}"


def main() -> None:
    parser = Parser("src.evaluation.evaluate", __doc__)
    parser.add_argument(
        "--no-publish",
        action="store_true",
        help="only measure: a model that misses the gate is a warning, not an error",
    )
    options = parser.parse_args()
    logs.setup()
    params, settings = load_params(), load_store_settings()
    # A training meanwhile would leave us the files of two models, or other rows than its own.
    with folder_locked(paths.CANDIDATE.parent), folder_locked(paths.TRAIN.parent):
        training, files = read_candidate()
        schema = bundles.parse(Schema, bundles.SCHEMA, files[bundles.SCHEMA])
        train, test = processed.read_prepared(paths.TRAIN, schema), processed.read_prepared(
            paths.TEST, schema
        )
    measures = side("src.evaluation.measures", training.task)
    with step(f"measuring on {len(test)} held-out rows"):
        runtime = open_model(files[bundles.MODEL], schema)
        predictions = runtime.predict(to_features(schema, test))
        measured = measures.report(
            schema, runtime.predict, predictions, train, test, training, params.data.random_state
        )
        task = TASKS[training.task]
        found, baseline = (
            {name: getattr(one, name) for name in task.measures} for one in (measured, measured.baseline)
        )
        verdict = judge(task, found, baseline, params.evaluate)
        [drawn] = bootstrap(measures.quick_measures, [(measures.actual(schema, test), *predictions)])
        intervals = {name: interval(values) for name, values in drawn.items()}
    with step("writing the bundle and the plots"), folder_locked(paths.BUNDLE.parent):
        metrics = {
            **measured.model_dump(mode="json"),
            "intervals": intervals,
            "gate": verdict.model_dump(mode="json"),
        }
        pictures = measures.pictures(measured)
        cards = card(training, schema, measures.IMPORTANCE, measured, intervals, verdict)
        bundles.write_folder(paths.BUNDLE, bundles.seal(training, metrics, {**files, **cards}))
        write_file(paths.NUMBERS, bundles.dump_json(measured.numbers()))
        bundles.write_folder(
            paths.PLOTS, {**measures.plot_tables(measured, schema, predictions, test), **pictures}
        )
    with step("recording the measures"), resume_run(settings, training.mlflow_run_id) as run:
        if run is not None:
            gate = {"gate": "passed" if verdict.passed else "failed"}
            run.log(metrics=measured.numbers(), tags=gate)
            run.log_files("plots", pictures)
            text = _description(training, measured, settings)
            run.describe_version(training.name, training.version, text, gate)
    title = f"{training.name} version {training.version}, {len(test)} held-out rows"
    print(measures.summary(title, measured))
    if options.no_publish:
        for miss in verdict.missed:
            logger.warning("not to be published: %s", miss)
        return
    with step("publishing"):
        publish(paths.BUNDLE, settings)
    print(
        f"\nPublished to {settings.model_dir}.\n"
        "  make run        answers with it on http://localhost:8000\n"
        "  make mlflow-ui  shows its run and those before it on http://localhost:5000\n"
        f"  {paths.PLOTS}     has the pictures, {paths.BUNDLE} the measures"
    )


if __name__ == "__main__":
    exit_on_error(main)

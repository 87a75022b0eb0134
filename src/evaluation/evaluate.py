"""Stage `evaluate`: measure the candidate, seal its bundle, and publish it when the gate passes."""

import argparse
import logging

import pandas as pd

from src import logs, paths
from src.bundle import bundle as bundles
from src.bundle.bundle import Training
from src.config import load_params, load_store_settings
from src.disk.lock import folder_locked
from src.errors import DataError, exit_on_error
from src.evaluation.gate import judge
from src.evaluation.plots import figures, to_png
from src.evaluation.report import Report, report
from src.evaluation.spreadsheet import to_report
from src.progress import step
from src.promotion.publish import publish
from src.runtime.predictions import Runtime
from src.runtime.session import open_model
from src.schema.columns import Schema, to_features
from src.tables import frames
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
    held_out = bundles.folder_fetch(paths.TEST.parent)
    same_rows = bundles.sha256(held_out(paths.TEST.name)) == training.test_digest
    if not same_rows or held_out(paths.SCHEMA.name) != files[bundles.SCHEMA]:
        raise DataError(
            f"{paths.CANDIDATE} was trained for other rows than {paths.TEST} holds; "
            "run python -m src.training.train again"
        )
    return training, files


def summary(title: str, measured: Report) -> str:
    """Return what was measured as a small table."""
    lines = [title, "", f"{'':<20}{'model':>10}{'baseline':>10}"]
    for name in ("accuracy", "precision", "recall", "f1_score", "log_loss", "calibration_error"):
        lines.append(f"{name:<20}{getattr(measured, name):>10.4f}{getattr(measured.baseline, name):>10.4f}")
    lines += ["", f"{'class':<20}{'precision':>10}{'recall':>10}{'f1_score':>10}{'rows':>8}"]
    for name, one in measured.per_class.items():
        lines.append(
            f"{name[:19]:<20}{one.precision:>10.4f}{one.recall:>10.4f}{one.f1_score:>10.4f}{one.rows:>8}"
        )
    return "\n".join(lines)


def plot_files(measured: Report, schema: Schema, runtime: Runtime, test: pd.DataFrame) -> dict[str, bytes]:
    """Return the pictures, and the tables that `dvc plots` draws itself."""
    answers = runtime.predict(to_features(schema, test))
    predictions = pd.DataFrame(
        {
            "actual": test[schema.target].to_numpy(),
            "predicted": [schema.classes[label] for label in answers.labels],
            "confidence": answers.scores.max(axis=1),
        }
    )
    importances = pd.DataFrame(measured.importances.items(), columns=["column", "importance"])
    return {
        "predictions.csv": to_report(predictions),
        "importances.csv": to_report(importances),
        **{name: to_png(figure) for name, figure in figures(measured, measured.importances).items()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m src.evaluation.evaluate", description=__doc__)
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
        train, test = frames.read_prepared(paths.TRAIN, schema), frames.read_prepared(paths.TEST, schema)
    with step(f"measuring on {len(test)} held-out rows"):
        runtime = open_model(files[bundles.MODEL], schema)
        measured = report(schema, runtime.predict, train, test, params.data.random_state)
        verdict = judge(measured.accuracy, measured.baseline.accuracy, params.evaluate)
    with step("writing the bundle and the plots"), folder_locked(paths.BUNDLE.parent):
        metrics = {**measured.model_dump(mode="json"), "gate": verdict.model_dump(mode="json")}
        bundles.write_folder(paths.BUNDLE, bundles.seal(training, metrics, files))
        frames.write(paths.NUMBERS, bundles.dump_json(measured.numbers()))
        bundles.write_folder(paths.PLOTS, plot_files(measured, schema, runtime, test))
    with step("recording the measures"), resume_run(settings, training.mlflow_run_id) as run:
        if run is not None:
            run.log_metrics(measured.numbers())
            run.log_tags({"gate": "passed" if verdict.passed else "failed"})
    print(summary(f"{training.name} version {training.version}, {len(test)} held-out rows", measured))
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

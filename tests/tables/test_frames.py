import csv
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from sklearn.model_selection import train_test_split

from src.disk.files import write_file
from src.errors import DataError
from src.params import DataParams
from src.schema.columns import CategoryColumn, NumericColumn, Schema
from src.tables import frames, processed
from src.tables.frames import Prepared
from src.tables.source import read_texts
from tests.conftest import REPOSITORY
from tests.mixed import mixed_table

Write = Callable[[str | bytes], Path]

MIXED = Schema(
    columns=(
        NumericColumn(name="age", header="Age (years)", type="integer", nullable=True, lowest=0, highest=99),
        NumericColumn(name="member", header="member", type="boolean", nullable=True, lowest=0, highest=1),
        CategoryColumn(
            name="city", header="city", type="category", nullable=True, categories=("01", "Porto")
        ),
    ),
    target="bought",
    target_header="bought?",
    classes=("no", "yes"),
)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(content: str | bytes) -> Path:
        path = tmp_path / "table.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def data_params(**changes: object) -> DataParams:
    iris = {"name": "iris", "source": "data/iris.csv", "target": "species", "drop": (), "ranges": {}}
    return DataParams.model_validate({**iris, "test_size": 0.2, "random_state": 42, **changes})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "empty, a header is needed"),
        ("\n \n", "empty, a header is needed"),
        ("a,b\n", "no rows below the header"),
        ("1,2\n3,4\n", "the first line holds numbers, a header is needed"),
        ("a,,c\n1,2,3\n", "column 2 has no name in the header"),
        ("a,b,a\n1,2,3\n", "two columns are named 'a'"),
        ("a,b\n1,2\n1,2,3\n", "line 3 has 3 cells, the header has 2"),
        ("a,b\n1\n1,2\n", "line 2 has 1 cells, the header has 2"),
        ('a,b\n"x\ny",2\n1\n', "line 4 has 1 cells, the header has 2"),
        ('a,b\n1,"2\n', "line 2: unexpected end of data"),
        ("a,b\n1,\0\n", "holds NUL bytes; this is not a CSV"),
    ],
)
def test_what_is_no_table_is_refused_in_one_line(write: Write, content: str | bytes, message: str) -> None:
    path = write(content)

    with pytest.raises(DataError) as error:
        read_texts(path)

    assert str(error.value) == f"{path}: {message}"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere\.csv: No such file or directory"):
        read_texts(tmp_path / "nowhere.csv")


def test_headers_stay_as_they_are_and_words_for_missing_are_missing(write: Write) -> None:
    path = write("\ufeffAge (years),City\n1,Porto\n\nNA,\n")

    table = frames.to_values(read_texts(path), data_params())

    assert list(table.columns) == ["Age (years)", "City"]
    assert table["Age (years)"].tolist()[0] == 1
    assert table.isna().sum().tolist() == [1, 1]


def test_a_text_column_keeps_what_looks_like_a_number(write: Write) -> None:
    table = frames.to_values(read_texts(write("code,n\n1.0,01.5\n2,2\n")), data_params(text=("code",)))

    assert table["code"].tolist() == ["1.0", "2"]
    assert table["n"].tolist() == [1.5, 2]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_numbers_come_back_to_the_last_bit(
    tmp_path_factory: pytest.TempPathFactory, values: list[float]
) -> None:
    path = tmp_path_factory.getbasetemp() / "numbers.csv"
    path.write_bytes(processed.to_bytes(pd.DataFrame({"a": values, "b": 1.0})))

    table = frames.to_values(read_texts(path), data_params())

    assert table["a"].to_numpy(dtype=float).tolist() == values


@given(
    st.lists(
        st.one_of(
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8),
            st.sampled_from(["NA", " NA", "null", "007", "1e5", " a ", "'=1+1", "=1+1", "a\r\nb"]),
        ),
        min_size=1,
    )
)
def test_texts_come_back_as_they_were(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    schema = Schema(
        columns=(CategoryColumn(name="x", header="x", type="category", nullable=True, categories=("a",)),),
        target="y",
        target_header="y",
        classes=("a", "b"),
        missing=("",),
    )
    path = tmp_path_factory.getbasetemp() / "texts.csv"
    path.write_bytes(processed.to_bytes(pd.DataFrame({"x": texts, "y": "a"})))

    assert processed.read_prepared(path, schema)["x"].tolist() == texts


def test_what_two_readers_take_for_different_tables_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "two-marks.csv"
    path.write_bytes('\ufeff\ufeff"\n1'.encode())  # one of them skips a second mark, and sees an open quote

    with pytest.raises(DataError, match="not a table: .*EOF inside string"):
        read_texts(path)


@given(st.text(max_size=60), st.text(alphabet='a",\n\r 1', max_size=40))
def test_any_text_is_a_table_or_an_error(
    tmp_path_factory: pytest.TempPathFactory, head: str, body: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes((head + "\n" + body).encode(errors="replace"))
    try:
        table = read_texts(path)
    except DataError:
        return

    content = path.read_bytes().decode("utf-8-sig")
    rows = [
        cells
        for cells in csv.reader(io.StringIO(content, newline=""))
        if "".join(cells).strip() or len(cells) > 1
    ]

    assert len(table) == len(rows) - 1
    assert list(table.columns) == rows[0]


def test_a_table_is_brought_to_the_schema() -> None:
    table = pd.DataFrame(
        {
            "city": ["Porto", None, "Faro"],
            "bought?": [1, 0, 1],
            "AGE": [3, None, 5],
            "member": pd.Series([True, None, False], dtype=object),
            "other": [1, 2, 3],
        }
    )

    frame = frames.to_schema_frame(table, MIXED)

    expected = pd.DataFrame(
        {
            "age": [3.0, np.nan, 5.0],
            "member": [1.0, np.nan, 0.0],
            "city": ["Porto", "", "Faro"],
            "bought": ["1", "0", "1"],
        }
    )
    assert_frame_equal(frame, expected)


def test_a_table_to_score_needs_no_target() -> None:
    table = pd.DataFrame({"age": [1], "member": [True], "city": ["Porto"]})

    assert list(frames.to_schema_frame(table, MIXED).columns) == ["age", "member", "city"]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"age": [1], "city": ["Faro"]}, "no column 'member', the table has age, city"),
        (
            {"age": ["1", "old", "x"], "member": True, "city": "Faro"},
            "column 'Age (years)': 'old' in 2 rows is not a finite number",
        ),
        (
            {"age": [1e39], "member": True, "city": "Faro"},
            "column 'Age (years)': '1e+39' in 1 rows is not a finite number",
        ),
    ],
)
def test_a_table_that_does_not_fit_the_schema_is_refused(columns: dict[str, object], message: str) -> None:
    with pytest.raises(DataError) as error:
        frames.to_schema_frame(pd.DataFrame(columns), MIXED)

    assert str(error.value) == message


def test_the_split_is_scikit_learns() -> None:
    plain = pd.read_csv(REPOSITORY / "data/iris.csv")
    rows, labels = plain.drop(columns="species"), plain["species"]
    _, expected_rows, _, expected_labels = train_test_split(
        rows, labels, test_size=0.2, random_state=42, stratify=labels
    )

    prepared = frames.prepared(
        frames.to_values(read_texts(REPOSITORY / "data/iris.csv"), data_params()), data_params()
    )

    assert (len(prepared.train), len(prepared.test)) == (120, 30)
    assert prepared.test.iloc[:, :4].to_numpy().tolist() == expected_rows.to_numpy().tolist()
    assert prepared.test["species"].tolist() == expected_labels.tolist()
    assert prepared.schema.names == ["sepal_length", "sepal_width", "petal_length", "petal_width"]


def test_dropped_columns_are_gone_and_unknown_ones_an_error(write: Write) -> None:
    path = write("Customer ID,x,species\n1,2,a\n")

    table = frames.to_values(read_texts(path), data_params(drop=("customer_id",)))

    assert list(table.columns) == ["x", "species"]
    with pytest.raises(DataError, match="data.drop: no column 'id', the table has customer_id, x, species"):
        frames.to_values(read_texts(path), data_params(drop=("id",)))


def test_prepared_tables_come_back_as_they_were(workspace: Path) -> None:
    data = data_params(target="bought", drop=("customer id",))
    prepared = frames.prepared(mixed_table().drop(columns="customer id"), data)

    write_file(data.raw, b"the snapshot")
    processed.write_prepared(prepared, data)

    assert_frame_equal(
        processed.read_prepared(Path("data/processed/test.csv"), prepared.schema),
        prepared.test.reset_index(drop=True),
    )
    assert_frame_equal(
        processed.read_prepared(Path("data/processed/train.csv"), prepared.schema),
        prepared.train.reset_index(drop=True),
    )
    names = sorted(path.name for path in Path("data/processed").iterdir())
    assert names == ["blocks.csv", "prepared.json", "schema.json", "test.csv", "train.csv"]
    assert Schema.model_validate_json(Path("data/processed/schema.json").read_bytes()) == prepared.schema


def test_a_written_file_is_whole_or_as_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "folder" / "table.csv"
    write_file(path, b"old")

    def stop(self: Path, target: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", stop)
    with pytest.raises(KeyboardInterrupt):
        write_file(path, b"new")

    assert path.read_bytes() == b"old"


def test_a_quoted_blank_line_is_not_lost(write: Write) -> None:
    with pytest.raises(DataError, match="lines with nothing but a quoted blank"):
        read_texts(write('a\n1\n""\n2\n'))


def wide(tmp_path: Path, **changes: object) -> Prepared:
    rows = 1_200
    table = pd.DataFrame(
        {
            "Id": [f"row {place}" for place in range(rows)],
            "Note": ["n" * 300] * rows,
            "Empty": [""] * rows,
            "x": range(rows),
            "y": ["no", "yes"] * (rows // 2),
        }
    )
    path = tmp_path / "wide.csv"
    table.to_csv(path, index=False)
    data = data_params(target="y", **changes)
    return frames.prepared(frames.to_values(read_texts(path), data), data)


def test_all_columns_that_no_model_can_take_are_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(DataError) as error:
        wide(tmp_path)

    assert str(error.value) == (
        "column 'Id': 1200 different texts, at most 1000 are allowed; "
        f"column 'Note': '{'n' * 40}'… has more than 256 characters; column 'Empty': every value is missing; "
        "leave them out with data.drop: [id, note, empty], or all such columns with data.unusable: drop"
    )


def test_columns_that_no_model_can_take_are_left_out_when_asked(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    prepared = wide(tmp_path, unusable="drop")

    assert prepared.schema.names == ["x"]
    assert list(prepared.train.columns) == ["x", "y"]
    assert [message[:22] for message in caplog.messages] == [
        "left out column 'Id': ",
        "left out column 'Note'",
        "left out column 'Empty",
    ]


def test_a_target_that_leaves_no_row_is_said_to_be_so(tmp_path: Path) -> None:
    path = tmp_path / "ids.csv"
    pd.DataFrame({"x": range(30), "y": [f"town {place}" for place in range(30)]}).to_csv(path, index=False)
    data = data_params(target="y", rare_classes="drop")

    with pytest.raises(DataError, match="^column 'y': left out 30 classes of one row: .*: no row is left$"):
        frames.prepared(frames.to_values(read_texts(path), data), data)

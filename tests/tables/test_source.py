"""Tables as people have them: of any delimiter, encoding and compression, or in Parquet."""

import gzip
from datetime import date, datetime
from pathlib import Path

import pandas as pd
import pytest

from src import paths
from src.bundle import bundle as bundles
from src.data import prepare
from src.errors import DataError
from src.evaluation import evaluate
from src.tables.source import read_source_file, read_texts
from src.training import train
from tests.conftest import REPOSITORY, run

IRIS = (REPOSITORY / "data/iris.csv").read_text()
TABLE = "größe,café,n\n1,é,7\n2,ñ,8\n"
CELLS = [["1", "é", "7"], ["2", "ñ", "8"]]


def write(folder: Path, content: bytes, name: str = "table.csv") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("content", "remarks"),
    [
        (TABLE.encode(), ()),
        (TABLE.encode("utf-8-sig"), ()),
        (TABLE.replace(",", ";").encode(), ("values parted by semicolons",)),
        (TABLE.replace(",", "\t").encode(), ("values parted by tabs",)),
        (TABLE.replace(",", "|").encode(), ("values parted by vertical bars",)),
        (TABLE.encode("utf-16"), ("in UTF-16",)),
        (TABLE.encode("cp1252"), ("not UTF-8 (byte 3), read as Windows-1252: look at its letters",)),
        (gzip.compress(TABLE.encode(), mtime=0), ("compressed with gzip",)),
        (
            gzip.compress(TABLE.replace(",", ";").encode("cp1252"), mtime=0),
            (
                "compressed with gzip",
                "not UTF-8 (byte 3), read as Windows-1252: look at its letters",
                "values parted by semicolons",
            ),
        ),
        (TABLE.replace("\n", "\r\n").encode(), ()),
    ],
)
def test_how_a_file_is_written_is_found_out_and_said(
    tmp_path: Path, content: bytes, remarks: tuple[str, ...]
) -> None:
    found = read_source_file(write(tmp_path, content))

    assert list(found.texts.columns) == ["größe", "café", "n"]
    assert found.texts.to_numpy().tolist() == CELLS
    assert found.remarks == remarks


@pytest.mark.parametrize(
    ("content", "header", "cells"),
    [
        ("a;b\n1,5;x\n-2;y\n", ["a", "b"], [["1.5", "x"], ["-2", "y"]]),
        ("a;b\n1,5;1,2,3\n2,0;4\n", ["a", "b"], [["1.5", "1,2,3"], ["2.0", "4"]]),
        ("a;b\n1.5;x\n2;y\n", ["a", "b"], [["1.5", "x"], ["2", "y"]]),
        ("a;b\n1,5;x\nn;y\n", ["a", "b"], [["1,5", "x"], ["n", "y"]]),
        ('a,b\n"1,5",x\n2,y\n', ["a", "b"], [["1,5", "x"], ["2", "y"]]),
        ("a,b\n1;5,x\n2;5,y\n", ["a", "b"], [["1;5", "x"], ["2;5", "y"]]),
        ('a;b\n"x;y";1\n"z";2\n', ["a", "b"], [["x;y", "1"], ["z", "2"]]),
        ("a\n1\n2\n", ["a"], [["1"], ["2"]]),
        ("a b\n1 2\n3 4\n", ["a b"], [["1 2"], ["3 4"]]),
    ],
)
def test_commas_are_decimal_where_they_part_nothing(
    tmp_path: Path, content: str, header: list[str], cells: list[list[str]]
) -> None:
    texts = read_texts(write(tmp_path, content.encode()))

    assert list(texts.columns) == header
    assert texts.to_numpy().tolist() == cells


@pytest.mark.parametrize("first", [0, 1])
def test_row_numbers_without_a_name_are_left_out(tmp_path: Path, first: int) -> None:
    found = read_source_file(write(tmp_path, f",a\n{first},x\n{first + 1},y\n{first + 2},x\n".encode()))

    assert list(found.texts.columns) == ["a"]
    assert found.remarks == ("left out its first column, which has no name and counts the rows",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b",a\n5,x\n7,y\n", "column 1 has no name in the header"),
        (b"a,\n1,x\n2,y\n", "column 2 has no name in the header"),
        (b",,a\n0,1,x\n1,2,y\n", "column 2 has no name in the header"),
        (b"\x1f\x8b broken", "damaged gzip: "),
        (gzip.compress(TABLE.encode(), mtime=0)[:-9], "damaged gzip: "),
        (b"PK\x03\x04 a workbook", "an archive (zip, Excel or zstd); save the table as CSV, gzip or Parquet"),
        (b"\x28\xb5\x2f\xfd zstd", "an archive (zip, Excel or zstd); save the table as CSV, gzip or Parquet"),
        (b"PAR1 damaged", "Parquet"),
        (b"a;b\n1;2\n3\n", "line 3 has 1 cells, the header has 2"),
    ],
)
def test_what_cannot_be_read_is_one_line(tmp_path: Path, content: bytes, message: str) -> None:
    path = write(tmp_path, content)

    with pytest.raises(DataError) as refused:
        read_texts(path)

    assert str(refused.value).startswith(f"{path}: ")
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_parquet_is_read_as_texts_to_the_last_bit(tmp_path: Path) -> None:
    third = 1 / 3
    table = pd.DataFrame(
        {
            "whole": pd.array([1, None, 2**53], dtype="Int64"),
            "real": [third, float("nan"), 1e-300],
            "yes": [True, False, True],
            "text": ["a", None, "NA"],
            "kind": pd.Categorical(["x", "y", "x"]),
            "day": [date(2024, 2, 29), None, date(1999, 1, 1)],
            "time": [datetime(2024, 2, 29, 12, 30), None, datetime(1999, 1, 1)],
        }
    )
    table.to_parquet(path := tmp_path / "table.parquet")

    found = read_source_file(path)

    assert found.remarks == ("in Parquet",)
    assert found.texts.to_numpy().tolist() == [
        ["1", repr(third), "true", "a", "x", "2024-02-29", "2024-02-29T12:30:00"],
        ["", "", "false", "", "y", "", ""],
        [str(2**53), "1e-300", "true", "NA", "x", "1999-01-01", "1999-01-01T00:00:00"],
    ]


@pytest.mark.parametrize("value", [[1, 2], {"a": 1}, b"bytes"])
def test_parquet_of_other_values_is_refused(tmp_path: Path, value: object) -> None:
    pd.DataFrame({"ok": [1], "odd": [value]}).to_parquet(path := tmp_path / "table.parquet")

    with pytest.raises(DataError, match="column 'odd' holds "):
        read_texts(path)


def as_parquet(path: Path) -> None:
    pd.read_csv(REPOSITORY / "data/iris.csv").to_parquet(path)


@pytest.mark.usefixtures("workspace")
@pytest.mark.parametrize("kind", ["semicolons", "gzip", "utf-16", "parquet"])
def test_a_model_is_the_same_whatever_the_file_was(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    source = Path("data/iris.csv")
    if kind == "parquet":
        as_parquet(source)
    elif kind == "gzip":
        source.write_bytes(gzip.compress(IRIS.encode()))
    elif kind == "utf-16":
        source.write_bytes(IRIS.encode("utf-16"))
    else:
        source.write_text(IRIS.replace(",", ";").replace(".", ","))

    run(prepare.main)

    test = paths.TEST.read_bytes()
    source.write_text(IRIS)
    run(prepare.main)
    assert paths.TEST.read_bytes() == test


@pytest.mark.usefixtures("workspace")
def test_rows_that_cannot_be_learned_from_are_left_out_when_asked(caplog: pytest.LogCaptureFixture) -> None:
    rows = "5.1,3.5,1.4,0.2,\n5.0,3.4,1.5,0.2,NA\n4.9,3.0,1.4,0.2,odd\n4.8,3.0,1.4,0.2,strange\n"
    Path("data/iris.csv").write_text(IRIS.rstrip("\n") + "\n" + rows)
    with pytest.raises(DataError, match="2 rows have no target"):
        run(prepare.main)
    params = paths.PARAMS.read_text()
    paths.PARAMS.write_text(params.replace("  test_size:", "  target_missing: drop\n  test_size:"))
    with pytest.raises(DataError, match="classes 'odd', 'strange' have one row; .* data.rare_classes: drop"):
        run(prepare.main)
    paths.PARAMS.write_text(
        params.replace("  test_size:", "  target_missing: drop\n  rare_classes: drop\n  test_size:")
    )

    for main in (prepare.main, train.main, evaluate.main):
        run(main)

    bundle = bundles.load(bundles.folder_fetch(paths.MODELS))
    assert bundle.schema.classes == ("setosa", "versicolor", "virginica")
    assert bundle.manifest.n_samples == 120

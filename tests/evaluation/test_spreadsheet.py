import csv
import io

import pandas as pd
import pytest

from src.evaluation.spreadsheet import to_report


def written(*texts: str) -> list[str]:
    content = to_report(pd.DataFrame({"actual": texts, "confidence": [-0.5] * len(texts)}))
    rows = list(csv.reader(io.StringIO(content.decode(), newline="")))
    assert {row[1] for row in rows[1:]} == {"-0.5"}
    return [row[0] for row in rows[1:]]


@pytest.mark.parametrize(
    "text",
    [
        '=HYPERLINK("http://example.com")',
        "+1+cmd|' /C calc'!A0",
        "-2+3",
        "@SUM(1,2)",
        "\t=1+1",
        "\r=1+1",
        "\n=1",
        " =1+1",
        "＝1+1",
        "＋1",
        "－a",
        "＠x",
        "'=1+1",
    ],
)
def test_what_a_spreadsheet_would_run_is_text(text: str) -> None:
    assert written(text) == [f"'{text}"]


@pytest.mark.parametrize("text", ["setosa", "a=b", "-1", "+1.5", "1e5", "it's", "'quoted'", "", "é"])
def test_other_texts_stay(text: str) -> None:
    assert written(text) == [text]


def test_texts_that_differ_still_do() -> None:
    texts = ["=1", "'=1", "''=1", "1"]

    assert len(set(written(*texts))) == len(texts)

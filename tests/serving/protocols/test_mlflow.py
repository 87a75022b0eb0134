"""MLflow's scoring protocol: its four forms and CSV, its answers, and every way to get it wrong."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.serving.conftest import KEY, MakeClient

NAMES = ["sepal_length", "sepal_width", "petal_length", "petal_width"]
HEADERS = [f"{name.replace('_', ' ')} (cm)" for name in NAMES]
FLOWER = [5.1, 3.5, 1.4, 0.2]
ROW = dict(zip(NAMES, FLOWER, strict=True))


@pytest.mark.parametrize(
    "body",
    [
        {"dataframe_split": {"columns": NAMES, "data": [FLOWER, FLOWER]}},
        {"dataframe_split": {"columns": HEADERS, "index": [0, 1], "data": [FLOWER, FLOWER]}},
        {"dataframe_split": {"columns": NAMES[::-1], "data": [FLOWER[::-1]] * 2}},
        {"dataframe_split": {"data": [FLOWER, FLOWER]}},
        {"dataframe_records": [ROW, ROW]},
        {"instances": [ROW, ROW]},
        {"instances": [FLOWER, FLOWER]},
        {"inputs": {name: [value] * 2 for name, value in ROW.items()}},
        {"inputs": [FLOWER, FLOWER], "params": {}},
    ],
)
def test_every_form_is_answered(client: TestClient, body: dict[str, Any]) -> None:
    answered = client.post("/invocations", json=body)

    assert (answered.status_code, answered.json()) == (200, {"predictions": ["setosa", "setosa"]})


@pytest.mark.parametrize("header", [NAMES, HEADERS, [*NAMES[:2], *HEADERS[2:]]])
def test_csv_is_answered(client: TestClient, header: list[str]) -> None:
    text = ",".join(header) + "\r\n" + "5.1,3.5,1.4,0.2\r\n" * 2

    answered = client.post("/invocations", content=text, headers={"Content-Type": "text/csv; charset=utf-8"})

    assert (answered.status_code, answered.json()) == (200, {"predictions": ["setosa", "setosa"]})


def test_probabilities_are_given_when_asked_for(client: TestClient) -> None:
    body = {"instances": [FLOWER], "params": {"predict_method": "predict_proba"}}

    assert client.post("/invocations", json=body).json() == {"predictions": [[0.75, 0.25, 0.0]]}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "The body needs one of dataframe_split, dataframe_records, instances, inputs,"),
        ({"instances": [FLOWER], "inputs": [FLOWER]}, "The body needs one of dataframe_split,"),
        ({"instances": [FLOWER], "signature_name": "x"}, "The body needs one of dataframe_split,"),
        ({"instances": []}, "`instances` is not a list of rows."),
        ({"instances": 7}, "`instances` is not a list of rows."),
        ({"instances": [FLOWER, ROW]}, "Row 1 is not a list of 4 values"),
        ({"instances": [FLOWER[:3]]}, "Row 0 is not a list of 4 values"),
        ({"inputs": {"sepal_length": 5.1}}, "`inputs` is not an object of lists"),
        (
            {"inputs": {name: [1.0] * place for place, name in enumerate(NAMES)}},
            "The columns are not equally long.",
        ),
        ({"dataframe_split": [FLOWER]}, "`dataframe_split` is not an object with `columns` and `data`."),
        ({"dataframe_split": {"columns": NAMES}}, "`dataframe_split` is not an object with"),
        ({"dataframe_split": {"columns": "abcd", "data": [FLOWER]}}, "`columns` is not a list of names."),
        (
            {"dataframe_split": {"columns": [1, 2, 3, 4], "data": [FLOWER]}},
            "`columns` is not a list of names.",
        ),
        (
            {"dataframe_split": {"columns": NAMES[:1] * 4, "data": [FLOWER]}},
            "A column is there more than once.",
        ),
        ({"dataframe_split": {"columns": NAMES, "data": [FLOWER, [1.0]]}}, "Row 1 is not a list of 4 values"),
        ({"dataframe_split": {"columns": NAMES, "data": [7]}}, "Row 0 is not a list of 4 values"),
        ({"dataframe_records": [{"a": 1}]}, "1 unknown columns; the columns are sepal_length,"),
        ({"dataframe_records": [ROW, {**ROW, "petal_width": None}]}, "Not as the schema says: petal_width."),
        ({"dataframe_records": [{**ROW, "petal_width": "x"}]}, "Not as the schema says: petal_width."),
        ({"dataframe_records": [{**ROW, "petal_width": {}}]}, "Not as the schema says: petal_width."),
        (
            {"instances": [FLOWER], "params": {"predict_method": "transform"}},
            "`params` may hold `predict_method`, predict or predict_proba, and nothing else.",
        ),
        ({"instances": [FLOWER], "params": None}, "`params` may hold `predict_method`"),
        ({"instances": [FLOWER], "params": {"alpha": 1}}, "`params` may hold `predict_method`"),
        (
            {"instances": [FLOWER], "params": {"predict_method": []}},
            "`params` may hold `predict_method`, predict or predict_proba, and nothing else.",
        ),
    ],
)
def test_what_is_not_as_the_protocol_says_is_400(
    client: TestClient, body: dict[str, Any], message: str
) -> None:
    answered = client.post("/invocations", json=body)

    assert answered.status_code == 400
    assert answered.json()["error_code"] == "BAD_REQUEST"
    assert answered.json()["message"].startswith(message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "Without sepal_length, sepal_width, petal_length, petal_width"),
        (b"\xff", "The body is not CSV in UTF-8."),
        (b'a"b,"c\n', "The body is not CSV in UTF-8."),
        (b"sepal_length,sepal_length\n1,2\n", "A column is there more than once."),
        (b"sepal_length,sepal_width,petal_length,petal_width\n1,2\n", "Row 0 is not a list of 4 values"),
        (
            b"sepal_length,sepal_width,petal_length,petal_width\n5.1,x,1.4,0.2\n",
            "Not as the schema says: sepal_",
        ),
    ],
)
def test_wrong_csv_is_400(client: TestClient, text: bytes, message: str) -> None:
    answered = client.post("/invocations", content=text, headers={"Content-Type": "text/csv"})

    assert answered.status_code == 400
    assert answered.json()["message"].startswith(message)


def test_its_clients_ask_for_health_and_version(client: TestClient, make_client: MakeClient) -> None:
    assert client.get("/ping").status_code == 200
    assert client.get("/version").text == "1.0.0"
    with make_client(runtime=None) as empty:
        assert empty.get("/ping").status_code == 503


def test_it_has_errors_of_its_own_for_all_that_goes_wrong(make_client: MakeClient) -> None:
    with make_client(api_key=(KEY,), rate_limit_predict_batch="1/minute") as client:
        refused = client.post("/invocations", json={"instances": [FLOWER]})
        client.headers["X-API-Key"] = KEY
        pickled = client.post("/invocations", content=b"x", headers={"Content-Type": "application/x-pickle"})
        over = client.post("/invocations", json={"instances": [FLOWER]})

    assert [(one.status_code, one.json()["error_code"]) for one in (refused, pickled, over)] == [
        (401, "UNAUTHENTICATED"),
        (415, "BAD_REQUEST"),
        (429, "REQUEST_LIMIT_EXCEEDED"),
    ]

"""The Open Inference Protocol: its answers, its binary extension, and every way to get it wrong."""

import json
import struct
from typing import Any

import pytest
from starlette.testclient import TestClient

from src.serving.protocols.tensors import read_tensors
from tests.serving.conftest import KEY, MakeClient

NAMES = ("sepal_length", "sepal_width", "petal_length", "petal_width")
FLOWER = (5.1, 3.5, 1.4, 0.2)
INFER = "/v2/models/IrisClassifier/infer"


def tensor(name: str, *values: Any, datatype: str = "FP64", **changes: Any) -> dict[str, Any]:
    return {"name": name, "datatype": datatype, "shape": [len(values)], "data": list(values), **changes}


def columns(rows: int = 1) -> list[dict[str, Any]]:
    return [tensor(name, *[value] * rows) for name, value in zip(NAMES, FLOWER, strict=True)]


def changed(place: int, **changes: Any) -> list[dict[str, Any]]:
    inputs = columns()
    inputs[place] |= changes
    return inputs


def test_the_server_describes_itself(client: TestClient) -> None:
    assert client.get("/v2").json() == {
        "name": "mlops-core",
        "version": "1.0.0",
        "extensions": ["binary_tensor_data"],
    }
    assert client.get("/v2/health/live").json() == {"live": True}
    assert client.get("/v2/health/ready").json() == {"ready": True}


@pytest.mark.parametrize("path", ["/v2/models/IrisClassifier", "/v2/models/IrisClassifier/versions/7"])
def test_the_model_describes_itself(client: TestClient, path: str) -> None:
    described = client.get(path).json()

    assert (described["name"], described["versions"]) == ("IrisClassifier", ["7"])
    assert described["inputs"] == [{"name": name, "datatype": "FP64", "shape": [-1]} for name in NAMES]
    assert described["outputs"] == [
        {"name": "prediction", "datatype": "BYTES", "shape": [-1]},
        {"name": "confidence", "datatype": "FP64", "shape": [-1]},
        {"name": "probabilities", "datatype": "FP64", "shape": [-1, 3]},
    ]
    assert client.get(f"{path}/ready").json() == {"name": "IrisClassifier", "ready": True}


def test_rows_are_answered_in_tensors(client: TestClient) -> None:
    answered = client.post(INFER, json={"id": "a1", "inputs": columns(2)})

    assert answered.status_code == 200
    assert answered.json() == {
        "model_name": "IrisClassifier",
        "model_version": "7",
        "id": "a1",
        "outputs": [
            {"name": "prediction", "datatype": "BYTES", "shape": [2], "data": ["setosa"] * 2},
            {"name": "confidence", "datatype": "FP64", "shape": [2], "data": [0.75] * 2},
            {"name": "probabilities", "datatype": "FP64", "shape": [2, 3], "data": [0.75, 0.25, 0.0] * 2},
        ],
    }
    metrics = client.get("/metrics").text
    assert 'model_predictions_total{predicted_class="setosa"} 2.0' in metrics
    assert 'http_requests_total{method="POST",route="/v2/models/{name}/infer",status="200"} 1.0' in metrics


@pytest.mark.parametrize(
    "inputs",
    [
        [{"name": "x", "datatype": "FP64", "shape": [1, 4], "data": list(FLOWER)}],
        [{"name": "x", "datatype": "FP64", "shape": [1, 4], "data": [list(FLOWER)]}],
        [{**one, "shape": [1, 1], "data": [one["data"]]} for one in columns()],
        [{**one, "name": one["name"].replace("_", " ") + " (cm)"} for one in columns()],
    ],
    ids=["a matrix", "a nested matrix", "columns of one", "headers"],
)
def test_rows_may_come_in_several_forms(client: TestClient, inputs: list[dict[str, Any]]) -> None:
    answered = client.post(INFER, json={"inputs": inputs, "outputs": [{"name": "prediction"}]})

    assert answered.status_code == 200, answered.text
    assert answered.json()["outputs"] == [
        {"name": "prediction", "datatype": "BYTES", "shape": [1], "data": ["setosa"]}
    ]


def test_json_has_one_kind_of_number() -> None:
    """3.0 is a whole number and 1.0 a boolean, as clients in languages with one kind of number write them."""
    given = [
        tensor("a", 3.0, -2, None, 2.0**53, datatype="INT64"),
        tensor("b", 1.0, 0, True, False, None, datatype="BOOL"),
        tensor("c", 3, 0.5, datatype="FP32"),
    ]

    values = [list(one.values) for one in read_tensors(given, b"")]

    assert values == [[3, -2, None, 2**53], [True, False, True, False, None], [3, 0.5]]
    assert [type(value) for value in values[0][:2] + values[1][:2]] == [int, int, bool, bool]


def test_values_may_be_binary(client: TestClient) -> None:
    inputs = [
        {"name": name, "datatype": "FP64", "shape": [1], "parameters": {"binary_data_size": 8}}
        for name in NAMES
    ]
    wanted = [{"name": "confidence", "parameters": {"binary_data": True}}, {"name": "prediction"}]
    head = json.dumps({"inputs": inputs, "outputs": wanted}).encode()
    headers = {"Content-Type": "application/octet-stream", "Inference-Header-Content-Length": str(len(head))}

    answered = client.post(INFER, content=head + struct.pack("<4d", *FLOWER), headers=headers)

    length = int(answered.headers["Inference-Header-Content-Length"])
    outputs = json.loads(answered.content[:length])["outputs"]
    assert outputs[0]["parameters"] == {"binary_data_size": 8}
    assert outputs[1]["data"] == ["setosa"]
    assert struct.unpack("<d", answered.content[length:]) == (0.75,)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (None, "`inputs` is not a list of tensors."),
        ([], "`inputs` is not a list of tensors."),
        (["x"], "Input 0 has no `name`."),
        ([{"name": 7}], "Input 0 has no `name`."),
        (changed(1, datatype="DOUBLE"), "Input 1: `datatype` is not one of BOOL, UINT8,"),
        (changed(1, datatype=["FP64"]), "Input 1: `datatype` is not one of BOOL, UINT8,"),
        (changed(1, shape=[-1]), "Input 1: `shape` is not a list of 1 to 8 whole numbers."),
        (changed(1, shape="1"), "Input 1: `shape` is not a list of 1 to 8 whole numbers."),
        (changed(1, shape=[]), "Input 1: `shape` is not a list of 1 to 8 whole numbers."),
        (changed(1, shape=[True]), "Input 1: `shape` is not a list of 1 to 8 whole numbers."),
        (changed(1, shape=[1] * 9), "Input 1: `shape` is not a list of 1 to 8 whole numbers."),
        (changed(1, shape=[10**30]), "Input 1 has 1 values, its shape says 1"),
        (changed(1, shape=[2]), "Input 1 has 1 values, its shape says 2."),
        (changed(1, shape=[1, 2], data=[1.0, 2.0]), "Input 1: `shape` is not [rows] or [rows, 1]"),
        (changed(1, data=3.5), "Input 1: `data` is not a list."),
        (changed(1, data=None), "Input 1: `data` is not a list."),
        (changed(1, data=[[1.0], 2.0]), "Input 1: `data` is nested unevenly."),
        (changed(1, data=[[[[[[[[[[1.0]]]]]]]]]]), "Input 1: `data` is nested unevenly."),
        (changed(1, data=["3.5"]), "Input 1: `data` holds values that are not FP64."),
        (changed(1, data=[True]), "Input 1: `data` holds values that are not FP64."),
        (changed(1, data=[{}]), "Input 1: `data` holds values that are not FP64."),
        (changed(1, datatype="INT64", data=[3.5]), "Input 1: `data` holds values that are not INT64."),
        (changed(1, datatype="UINT8", data=[1e999]), "Input 1: `data` holds values that are not UINT8."),
        (changed(1, datatype="INT64", data=[True]), "Input 1: `data` holds values that are not INT64."),
        (changed(1, datatype="BOOL", data=[2]), "Input 1: `data` holds values that are not BOOL."),
        (changed(1, datatype="BOOL", data=["true"]), "Input 1: `data` holds values that are not BOOL."),
        (changed(1, datatype="BYTES", data=["x"]), "Not as the schema says: sepal_width."),
        (changed(1, data=[None]), "Not as the schema says: sepal_width."),
        (changed(1, data=[float("nan")]), "Not as the schema says: sepal_width."),
        (changed(1, data=[1e999]), "Not as the schema says: sepal_width."),
        (changed(1, data=[99.0]), "Not as the schema says: sepal_width."),
        (changed(1, name="width"), "1 unknown columns; the columns are sepal_length, sepal_width,"),
        (changed(1, name="sepal_length"), "Input 1 is there more than once."),
        (changed(1, name="sepal length (cm)"), "A column is there more than once."),
        (columns()[:3], "Without petal_width; the columns are"),
        ([*columns()[:3], tensor("petal_width", 0.2, 0.2)], "The columns are not equally long."),
        (
            changed(1, parameters={"binary_data_size": 8}),
            "Input 1: `binary_data_size` is more than the body holds.",
        ),
        (
            changed(1, parameters={"binary_data_size": -8}),
            "Input 1: `binary_data_size` is more than the body",
        ),
    ],
)
def test_what_is_not_as_the_protocol_says_is_400(client: TestClient, inputs: Any, message: str) -> None:
    answered = client.post(
        INFER,
        content=json.dumps({"inputs": inputs}),
        headers={"Content-Type": "application/json"},
    )

    assert answered.status_code == 400
    assert list(answered.json()) == ["error"]
    assert answered.json()["error"].startswith(message)


@pytest.mark.parametrize(
    ("datatype", "content", "message"),
    [
        ("FP64", b"\0" * 7, "Input 0 has 7 bytes, its shape says 8."),
        ("BYTES", b"\0", "Input 0: a text is longer than the bytes that are left."),
        ("BYTES", b"\x05\0\0\0ab", "Input 0: a text is longer than the bytes that are left."),
        ("BYTES", b"\xff\xff\xff\xffab", "Input 0: a text is longer than the bytes that are left."),
        ("BYTES", b"\x01\0\0\0\xff", "Input 0: a text is not UTF-8."),
        ("BYTES", b"", "Input 0 has 0 values, its shape says 1."),
    ],
)
def test_binary_values_are_as_long_as_they_say(
    client: TestClient, datatype: str, content: bytes, message: str
) -> None:
    parameters = {"binary_data_size": len(content)}
    inputs = [{"name": "sepal_length", "datatype": datatype, "shape": [1], "parameters": parameters}]
    head = json.dumps({"inputs": inputs}).encode()

    answered = client.post(
        INFER,
        content=head + content,
        headers={
            "Content-Type": "application/octet-stream",
            "Inference-Header-Content-Length": str(len(head)),
        },
    )

    assert (answered.status_code, answered.json()) == (400, {"error": message})


@pytest.mark.parametrize("length", ["-1", "x", "9" * 30, "1000"])
def test_the_length_of_the_json_is_within_the_body(client: TestClient, length: str) -> None:
    answered = client.post(
        INFER,
        content=b"{}",
        headers={"Inference-Header-Content-Length": length, "Content-Type": "application/json"},
    )

    assert (answered.status_code, answered.json()) == (
        400,
        {"error": "Inference-Header-Content-Length is not the number of bytes of the JSON."},
    )


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"outputs": [{"name": "class"}]}, "`outputs` are not among prediction, confidence, probabilities."),
        ({"outputs": "prediction"}, "`outputs` are not among prediction, confidence, probabilities."),
        ({"id": 7}, "`id` is not a text."),
    ],
)
def test_what_is_asked_for_must_be_there(client: TestClient, body: dict[str, Any], message: str) -> None:
    answered = client.post(INFER, json={"inputs": columns(), **body})

    assert (answered.status_code, answered.json()) == (400, {"error": message})


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_object_is_400(client: TestClient, body: bytes) -> None:
    answered = client.post(INFER, content=body, headers={"Content-Type": "application/json"})

    assert answered.status_code == 400
    assert answered.json()["error"].startswith("The body is not ")


@pytest.mark.parametrize("path", ["/v2/models/Other", "/v2/models/IrisClassifier/versions/8"])
def test_another_model_is_404(client: TestClient, path: str) -> None:
    message = {"error": "There is no such model; in service is IrisClassifier version 7."}

    for method, end in (("GET", ""), ("GET", "/ready"), ("POST", "/infer")):
        answered = client.request(method, path + end, json={"inputs": columns()})
        assert (answered.status_code, answered.json()) == (404, message)


def test_the_protocol_has_errors_of_its_own_for_all_that_goes_wrong(make_client: MakeClient) -> None:
    with make_client(api_key=(KEY,), rate_limit_predict_batch="1/minute") as client:
        refused = client.post(INFER, json={"inputs": columns()})
        client.headers["X-API-Key"] = KEY
        csv = client.post(INFER, content="a,b", headers={"Content-Type": "text/csv"})
        over = client.post(INFER, json={"inputs": columns()})

    assert [(one.status_code, list(one.json())) for one in (refused, csv, over)] == [
        (401, ["error"]),
        (415, ["error"]),
        (429, ["error"]),
    ]
    assert "Retry-After" in over.headers


def test_without_a_model_it_is_not_ready(make_client: MakeClient) -> None:
    with make_client(runtime=None) as client:
        answers = [client.get("/v2/health/ready"), client.post(INFER, json={"inputs": columns()})]

    assert [one.status_code for one in answers] == [503, 503]
    assert answers[0].json() == {"error": "No model is loaded yet."}


def test_more_rows_than_a_batch_may_have_are_refused(make_client: MakeClient) -> None:
    with make_client(batch_max_rows=2) as client:
        assert client.post(INFER, json={"inputs": columns(2)}).status_code == 200
        assert client.post(INFER, json={"inputs": columns(3)}).status_code == 400

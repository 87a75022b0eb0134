"""Conformance with the Open Inference Protocol: each statement of its REST specification, on a real server.

The client is generated from the protocol's own OpenAPI document, so what it cannot parse does not conform.
"""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from open_inference.openapi import (
    BadRequestError,
    InferenceRequest,
    MetadataModelResponse,
    NotFoundError,
    RequestInput,
    RequestOutput,
)
from open_inference.openapi.client import OpenInferenceClient

from tests import servers
from tests.clients.conftest import Served

MODEL, VERSION = "CustomersClassifier", "1"
DATATYPES = {
    "BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64", "FP16", "FP32", "FP64",
    "BYTES",
}  # fmt: skip
COLUMNS = {"age": "INT64", "income": "FP64", "city": "BYTES", "member": "BOOL", "newsletter": "BOOL"}


@pytest.fixture
def client(served: Served) -> OpenInferenceClient:
    return OpenInferenceClient(base_url=served.url, timeout=servers.PATIENCE)


@pytest.fixture
def raw(served: Served) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served.url, timeout=servers.PATIENCE) as client:
        yield client


def whole_rows(served: Served) -> list[dict[str, Any]]:
    """Return the rows in which nothing is missing: the client's tensors have no null."""
    return [row for row in served.rows if None not in row.values()]


def tensors(rows: list[dict[str, Any]], nested: bool) -> list[RequestInput]:
    return [
        RequestInput(
            name=name,
            datatype=datatype,
            shape=[len(rows), 1] if nested else [len(rows)],
            data=[[row[name]] for row in rows] if nested else [row[name] for row in rows],
        )
        for name, datatype in COLUMNS.items()
    ]


def test_health_and_readiness(client: OpenInferenceClient) -> None:
    client.check_server_liveness()
    client.check_server_readiness()
    client.check_model_readiness(MODEL)
    client.check_model_version_readiness(MODEL, VERSION)


def test_a_model_or_a_version_that_is_not_there_is_not_ready(client: OpenInferenceClient) -> None:
    for check in (
        lambda: client.check_model_readiness("other"),
        lambda: client.check_model_version_readiness(MODEL, "99"),
        lambda: client.check_model_version_readiness("other", VERSION),
    ):
        with pytest.raises(NotFoundError) as refused:
            check()
        assert list(refused.value.body) == ["error"]


def test_metadata(client: OpenInferenceClient) -> None:
    server = client.read_server_metadata()
    assert (server.name, bool(server.version), server.extensions) == (
        "mlops-core",
        True,
        ["binary_tensor_data"],
    )
    for model in (client.read_model_metadata(MODEL), client.read_model_version_metadata(MODEL, VERSION)):
        assert isinstance(model, MetadataModelResponse)
        assert (model.name, model.versions) == (MODEL, [VERSION])
        assert {one.name: one.datatype for one in model.inputs} == COLUMNS
        assert {one.datatype for one in [*model.inputs, *model.outputs]} <= DATATYPES
        assert {one.name: one.shape for one in model.outputs} == {
            "prediction": [-1],
            "confidence": [-1],
            "probabilities": [-1, 2],
        }


@pytest.mark.parametrize("nested", [False, True], ids=["flat", "nested"])
@pytest.mark.parametrize("versioned", [False, True], ids=["model", "version"])
def test_inference_returns_the_bits_of_predict(
    served: Served, client: OpenInferenceClient, nested: bool, versioned: bool
) -> None:
    rows = whole_rows(served)
    request = InferenceRequest(id="42", inputs=tensors(rows, nested))

    answer = (
        client.model_version_infer(MODEL, VERSION, request=request)
        if versioned
        else client.model_infer(MODEL, request=request)
    )

    expected = [
        one for one, row in zip(served.predictions(), served.rows, strict=True) if None not in row.values()
    ]
    found = {one.name: one for one in answer.outputs}
    assert (answer.model_name, answer.model_version, answer.id) == (MODEL, VERSION, "42")
    assert {name: (one.datatype, one.shape) for name, one in found.items()} == {
        "prediction": ("BYTES", [len(rows)]),
        "confidence": ("FP64", [len(rows)]),
        "probabilities": ("FP64", [len(rows), 2]),
    }
    assert list(plain(found["prediction"].data)) == [one["prediction"] for one in expected]
    assert list(plain(found["confidence"].data)) == [one["confidence"] for one in expected]
    assert list(plain(found["probabilities"].data)) == [
        value for one in expected for value in one["probabilities"].values()
    ]


def plain(data: Any) -> list[Any]:
    """Return the values of a tensor in row-major order, out of the types of the client."""
    values = getattr(data, "__root__", getattr(data, "root", data))
    return [inner for one in values for inner in (plain(one) if isinstance(one, list) else [one])]


def test_only_the_outputs_that_are_asked_for_come_back(served: Served, client: OpenInferenceClient) -> None:
    request = InferenceRequest(
        inputs=tensors(whole_rows(served)[:2], False), outputs=[RequestOutput(name="confidence")]
    )
    answer = client.model_infer(MODEL, request=request)
    assert [one.name for one in answer.outputs] == ["confidence"]
    assert answer.id is None


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body.pop("inputs"),
        lambda body: body.update(inputs=[]),
        lambda body: body.update(id=7),
        lambda body: body.update(outputs=[{"name": "no such output"}]),
        lambda body: body["inputs"][0].pop("name"),
        lambda body: body["inputs"][0].pop("datatype"),
        lambda body: body["inputs"][0].pop("shape"),
        lambda body: body["inputs"][0].pop("data"),
        lambda body: body["inputs"][0].update(datatype="FLOAT"),
        lambda body: body["inputs"][0].update(shape=[3]),
        lambda body: body["inputs"][0].update(shape=[-1]),
        lambda body: body["inputs"][0].update(data=["not", "numbers"]),
        lambda body: body["inputs"].append(body["inputs"][0]),
        lambda body: body["inputs"].pop(0),
    ],
)
def test_an_invalid_request_is_400_with_an_error_object(
    raw: httpx.Client, served: Served, change: Any
) -> None:
    rows = whole_rows(served)[:2]
    body = {
        "inputs": [
            {"name": name, "datatype": datatype, "shape": [2], "data": [row[name] for row in rows]}
            for name, datatype in COLUMNS.items()
        ]
    }
    assert raw.post(f"/v2/models/{MODEL}/infer", json=body).status_code == 200
    change(body)

    answered = raw.post(f"/v2/models/{MODEL}/infer", json=body)

    assert answered.status_code == 400
    assert answered.headers["content-type"] == "application/json"
    assert list(answered.json()) == ["error"] and answered.json()["error"]


def test_the_client_raises_our_errors(client: OpenInferenceClient, served: Served) -> None:
    request = InferenceRequest(inputs=tensors(whole_rows(served)[:2], False)[1:3])
    with pytest.raises(BadRequestError) as refused:
        client.model_infer(MODEL, request=request)
    assert refused.value.body["error"] == (
        "Without age, member; the columns are age, income, city, member, newsletter."
    )

"""Clients that we did not write get the answers of `/predict`, to the last bit."""

import json
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
import requests
import tritonclient.http as triton
from mlflow.deployments import get_deploy_client
from mlflow.pyfunc.scoring_server.client import ScoringServerClient
from tritonclient.utils import InferenceServerException

from tests.clients.conftest import Served

MODEL = "CustomersClassifier"
KINDS = {"age": "INT64", "income": "FP64", "city": "BYTES", "member": "BOOL", "newsletter": "BOOL"}


def inputs(served: Served, binary: bool) -> list[triton.InferInput]:
    """Return the rows as tensors; what has no value for missing leaves those rows to others."""
    made = []
    for name, datatype in KINDS.items():
        values: list[Any] = [row[name] for row in rows_without_gaps(served)]
        if datatype == "BYTES":
            array = np.array(["" if value is None else value for value in values], dtype=np.object_)
        else:
            array = np.array(
                values, dtype={"INT64": np.int64, "FP64": np.float64, "BOOL": np.bool_}[datatype]
            )
        made.append(triton.InferInput(name, list(array.shape), datatype))
        made[-1].set_data_from_numpy(array, binary_data=binary)
    return made


def rows_without_gaps(served: Served) -> list[dict[str, Any]]:
    """Return the rows whose booleans are there: NumPy has no missing boolean."""
    return [row for row in served.rows if row["newsletter"] is not None]


@pytest.fixture
def client(served: Served) -> triton.InferenceServerClient:
    return triton.InferenceServerClient(urlsplit(served.url).netloc)


def test_tritons_client_knows_the_model(client: triton.InferenceServerClient) -> None:
    assert client.is_server_live() and client.is_server_ready() and client.is_model_ready(MODEL)
    assert not client.is_model_ready("Other")
    assert client.get_server_metadata()["extensions"] == ["binary_tensor_data"]
    metadata = client.get_model_metadata(MODEL)
    assert {one["name"]: one["datatype"] for one in metadata["inputs"]} == KINDS


@pytest.mark.parametrize("binary_in", [True, False])
@pytest.mark.parametrize("binary_out", [True, False])
def test_tritons_client_gets_the_same_bits(
    served: Served, client: triton.InferenceServerClient, binary_in: bool, binary_out: bool
) -> None:
    sent = [one for one in inputs(served, binary_in)]
    if not binary_in:  # JSON has no NaN: a gap is null
        for one in sent:
            tensor = one._data
            one._data = [None if value != value else value for value in tensor]
    wanted = [
        triton.InferRequestedOutput(name, binary_data=binary_out) for name in ("prediction", "probabilities")
    ]

    answered = client.infer(MODEL, sent, outputs=wanted, request_id="r1")

    expected = [
        one
        for one, row in zip(served.predictions(), served.rows, strict=True)
        if row["newsletter"] is not None
    ]
    labels = [one.decode() if isinstance(one, bytes) else one for one in answered.as_numpy("prediction")]
    assert labels == [one["prediction"] for one in expected]
    assert answered.as_numpy("probabilities").tolist() == [
        [*one["probabilities"].values()] for one in expected
    ]
    assert answered.get_response()["id"] == "r1"


def test_tritons_client_understands_our_errors(served: Served, client: triton.InferenceServerClient) -> None:
    with pytest.raises(InferenceServerException, match="There is no such model; in service is Customers"):
        client.infer("Other", inputs(served, True))
    with pytest.raises(InferenceServerException, match="Without age, member; the columns are age, income"):
        client.infer(MODEL, inputs(served, True)[1:3])


def test_mlflows_client_gets_the_same_answers(served: Served) -> None:
    parts = urlsplit(served.url)
    client = ScoringServerClient(str(parts.hostname), parts.port)

    client.ping()
    labels = client.invoke(served.table).get_predictions()
    scores = client.invoke(served.table, params={"predict_method": "predict_proba"})

    expected = served.predictions()
    assert client.get_version() == "1.0.0"
    assert labels.iloc[:, 0].tolist() == [one["prediction"] for one in expected]
    assert json.loads(scores.to_json())["predictions"] == [
        [*one["probabilities"].values()] for one in expected
    ]


def test_mlflows_deployment_client_lists_the_model_and_gets_the_same_answers(served: Served) -> None:
    client = get_deploy_client(served.url)

    [listed] = client.list_endpoints()
    found = client.get_endpoint(MODEL)
    rows = json.loads(served.table.to_json(orient="split", index=False))
    labels = client.predict(endpoint=MODEL, inputs={"dataframe_split": rows})
    scores = client.predict(
        endpoint=listed.name,
        inputs={"dataframe_records": served.rows, "params": {"predict_method": "predict_proba"}},
    )

    expected = served.predictions()
    assert found == listed
    assert (found.name, found.endpoint_type, found.model.name, found.model.provider) == (
        MODEL,
        "classification",
        f"{MODEL} version 1",
        "mlops-core",
    )
    assert requests.post(found.endpoint_url, json={"dataframe_records": served.rows}).json() == labels
    assert labels == {"predictions": [one["prediction"] for one in expected]}
    assert scores == {"predictions": [[*one["probabilities"].values()] for one in expected]}
    with pytest.raises(requests.HTTPError, match="There is no such model; in service is CustomersClassifier"):
        client.predict(endpoint="other", inputs={"dataframe_records": served.rows})

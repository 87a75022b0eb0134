"""The endpoints of the Open Inference Protocol."""

from collections.abc import Iterator
from http import HTTPStatus

from src.serving.endpoint import NO_MODEL, PROTOCOL_PROBLEMS, Endpoint, RequestBody, answering
from src.serving.problems import Form
from src.serving.protocols import open_inference

_TAG = "Open Inference Protocol"
_FORM = Form(open_inference.InferError, "application/json", open_inference.error_response)
_MODEL = "/v2/models/{name}"
_VERSION = f"{_MODEL}/versions/{{version}}"


def _endpoints() -> Iterator[Endpoint]:
    """Give the endpoints of the Open Inference Protocol; those of a model with a version and without."""
    yield Endpoint(
        path="/v2",
        name="server_metadata",
        handler=answering(open_inference.server),
        summary="Server metadata of the Open Inference Protocol.",
        answer=open_inference.ServerMetadata,
        tag=_TAG,
    )
    yield Endpoint(
        path="/v2/health/live",
        name="server_live",
        handler=answering(open_inference.live),
        summary="Liveness, as the Open Inference Protocol has it.",
        answer=open_inference.ServerLive,
        tag=_TAG,
    )
    yield Endpoint(
        path="/v2/health/ready",
        name="server_ready",
        handler=answering(open_inference.ready),
        summary="Readiness, as the Open Inference Protocol has it.",
        answer=open_inference.ServerReady,
        problems=(HTTPStatus.SERVICE_UNAVAILABLE,),
        form=_FORM,
        tag=_TAG,
    )
    for base, suffix in ((_MODEL, ""), (_VERSION, "_version")):
        yield Endpoint(
            path=base,
            name=f"model{suffix}_metadata",
            handler=answering(open_inference.model),
            summary="Inputs and outputs of the model, as tensors.",
            key=True,
            limit="rate_limit_model_info",
            answer=open_inference.ModelMetadata,
            problems=NO_MODEL,
            form=_FORM,
            tag=_TAG,
        )
        yield Endpoint(
            path=f"{base}/ready",
            name=f"model{suffix}_ready",
            handler=answering(open_inference.model_ready),
            summary="Readiness of the model.",
            answer=open_inference.ModelReady,
            problems=NO_MODEL,
            form=_FORM,
            tag=_TAG,
        )
        yield Endpoint(
            path=f"{base}/infer",
            method="POST",
            name=f"model{suffix}_infer",
            handler=open_inference.infer,
            summary="Predict rows given as tensors.",
            description="One tensor a column, or one matrix of all; in JSON, or in binary.",
            key=True,
            limit="rate_limit_predict_batch",
            body=lambda loaded: RequestBody(open_inference.InferRequest),
            answer=open_inference.InferResponse,
            problems=(HTTPStatus.NOT_FOUND, *PROTOCOL_PROBLEMS),
            form=_FORM,
            tag=_TAG,
        )


ENDPOINTS = tuple(_endpoints())

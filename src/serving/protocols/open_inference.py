"""The Open Inference Protocol, version 2, over REST: what KServe, Triton and MLServer speak."""

import json
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, ConfigDict
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from src.schema.columns import CategoryColumn, Column, DateColumn, Schema
from src.serving.loaded_model import LoadedModel
from src.serving.models import AnswerModel
from src.serving.problems import Problem, bad_request
from src.serving.protocols.scoring import Call, Scoring, asked_for, predict_rows, read_json
from src.serving.protocols.tensors import TEXT, Tensor, read_tensors
from src.serving.routes import state_of
from src.serving.state import AppState
from src.tasks import side
from src.version import VERSION

BINARY = "binary_tensor_data"  # the extension that Triton's clients use
HEADER_LENGTH = "Inference-Header-Content-Length"
PLATFORM = "onnx"


class ServerMetadata(AnswerModel):
    name: str
    version: str
    extensions: list[str]


class ServerLive(AnswerModel):
    live: bool


class ServerReady(AnswerModel):
    ready: bool


class ModelReady(AnswerModel):
    name: str
    ready: bool


class TensorMetadata(AnswerModel):
    name: str
    datatype: str
    shape: list[int]  # -1: as many as there are rows


class ModelMetadata(AnswerModel):
    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorMetadata]  # a tensor for each column
    outputs: list[TensorMetadata]


class InferTensor(BaseModel):
    model_config = ConfigDict(extra="allow")

    name: str
    datatype: str
    shape: list[int]
    data: list[Any]


class InferRequest(BaseModel):
    model_config = ConfigDict(extra="allow")

    id: str | None = None
    inputs: list[InferTensor]


class InferResponse(AnswerModel):
    model_name: str
    model_version: str
    id: str | None = None
    outputs: list[InferTensor]


class InferError(AnswerModel):
    error: str


def error_response(problem: Problem) -> Response:
    """Return `problem` as the protocol has errors."""
    said = [f"{one['field']}: {one['detail']}" for one in problem.errors if one.get("field")]
    text = " ".join([problem.detail, *said[:3]])
    status = HTTPStatus.BAD_REQUEST if problem.status == HTTPStatus.UNPROCESSABLE_ENTITY else problem.status
    content = json.dumps({"error": text})
    return Response(content, status, problem.headers, "application/json")


async def server(request: Request) -> ServerMetadata:
    """Server metadata."""
    return ServerMetadata(name="mlops-core", version=VERSION, extensions=[BINARY])


async def live(request: Request) -> ServerLive:
    """Liveness."""
    return ServerLive(live=True)


async def ready(request: Request) -> ServerReady:
    """Readiness."""
    state = state_of(request)
    if state.draining:
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "draining", "The server is about to stop.")
    state.require_model()
    return ServerReady(ready=True)


async def model(request: Request) -> ModelMetadata:
    """Model metadata."""
    loaded = asked_for(state_of(request).require_model(), request.scope.get("path_params", {}))
    schema = loaded.bundle.schema
    inputs = [TensorMetadata(name=one.name, datatype=_datatype(one), shape=[-1]) for one in schema.columns]
    answers = side("src.serving.answers", loaded.bundle.manifest.task)
    outputs = [TensorMetadata(**one) for one in answers.output_metadata(schema)]
    return ModelMetadata(
        name=loaded.bundle.manifest.name,
        versions=[loaded.version],
        platform=PLATFORM,
        inputs=inputs,
        outputs=outputs,
    )


async def model_ready(request: Request) -> ModelReady:
    """Model readiness."""
    loaded = asked_for(state_of(request).require_model(), request.scope.get("path_params", {}))
    return ModelReady(name=loaded.bundle.manifest.name, ready=True)


def infer(state: AppState) -> ASGIApp:
    """Return the ASGI app of `infer`."""
    return Scoring(state, ("application/json", "application/octet-stream"), _infer)


def _infer(call: Call) -> Response:
    loaded = asked_for(call.loaded, call.path)
    head, binary = _parted(call)
    request = read_json(head)
    wanted = request.get("outputs")
    identity = request.get("id")
    if identity is not None and not isinstance(identity, str):
        raise bad_request("`id` is not a text.")
    columns = _columns(loaded.bundle.schema, list(read_tensors(request.get("inputs"), binary)))
    outputs = predict_rows(loaded, columns)
    answers = side("src.serving.answers", loaded.bundle.manifest.task)
    tensors = {one.name: one for one in answers.to_tensors(loaded.bundle.schema, outputs)}
    parameters = request.get("parameters")
    in_binary = isinstance(parameters, dict) and parameters.get("binary_data_output") is True
    return _response(loaded, identity, _selected(tensors, wanted, in_binary))


def _parted(call: Call) -> tuple[bytes, bytes]:
    """Return the JSON of a body, and the binary data behind it."""
    length = call.headers.get(HEADER_LENGTH.lower().encode())
    if length is None:
        return call.body, b""
    if not length.isdigit() or len(length) > 18 or int(length) > len(call.body):
        raise bad_request(f"{HEADER_LENGTH} is not the number of bytes of the JSON.")
    return call.body[: int(length)], call.body[int(length) :]


def _datatype(column: Column) -> str:
    if isinstance(column, CategoryColumn | DateColumn):
        return TEXT
    return {"boolean": "BOOL", "integer": "INT64", "float": "FP64"}[column.type]


def _columns(schema: Schema, tensors: list[Tensor]) -> dict[str, list[Any]]:
    """Return the values of each column; one matrix may hold them all, in the schema's order."""
    if len(tensors) == 1 and len(schema.columns) > 1 and tensors[0].shape[1:] == (len(schema.columns),):
        [matrix] = tensors
        width = len(schema.columns)
        names = schema.names
        return {name: list(matrix.values[place::width]) for place, name in enumerate(names)}
    columns: dict[str, list[Any]] = {}
    for place, tensor in enumerate(tensors):
        if tensor.name in columns:
            raise bad_request(f"Input {place} is there more than once.")
        if any(size != 1 for size in tensor.shape[1:]):
            raise bad_request(f"Input {place}: `shape` is not [rows] or [rows, 1], a value for each row.")
        columns[tensor.name] = list(tensor.values)
    return columns


def _selected(tensors: dict[str, Tensor], wanted: object, in_binary: bool) -> list[tuple[Tensor, bool]]:
    """Return the outputs that were asked for, each with whether its values are binary."""
    if wanted is None or wanted == []:
        return [(tensor, in_binary) for tensor in tensors.values()]
    found = []
    for one in wanted if isinstance(wanted, list) else [None]:
        if not isinstance(one, dict) or (name := one.get("name")) not in tensors:
            raise bad_request(f"`outputs` are not among {', '.join(tensors)}.")
        parameters = one.get("parameters") or {}
        given = parameters.get("binary_data", in_binary) if isinstance(parameters, dict) else in_binary
        found.append((tensors[name], given is True))
    return found


def _response(loaded: LoadedModel, identity: str | None, outputs: list[tuple[Tensor, bool]]) -> Response:
    tensors, parts = [], []
    for tensor, in_binary in outputs:
        if not in_binary:
            tensors.append(tensor.to_json())
            continue
        parts.append(tensor.to_binary())
        tensors.append({**tensor.described(), "parameters": {"binary_data_size": len(parts[-1])}})
    answer: dict[str, Any] = {"model_name": loaded.bundle.manifest.name, "model_version": loaded.version}
    if identity is not None:
        answer["id"] = identity
    head = json.dumps({**answer, "outputs": tensors}).encode()
    if not parts:
        return Response(head, media_type="application/json")
    headers = {HEADER_LENGTH: str(len(head))}
    return Response(head + b"".join(parts), headers=headers, media_type="application/octet-stream")

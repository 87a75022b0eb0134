"""MLflow's scoring protocol: what `mlflow models serve` answers, for clients that call it."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Literal
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from src.schema.cells import NUMBER
from src.schema.columns import CategoryColumn, DateColumn, Schema
from src.serving.endpoint import RequestBody
from src.serving.loaded_model import LoadedModel
from src.serving.models import AnswerModel
from src.serving.problems import Problem, bad_request
from src.serving.protocols.scoring import Call, Scoring, asked_for, media_type, predict_rows, read_json
from src.serving.routes import state_of
from src.serving.state import AppState
from src.tasks import side
from src.version import VERSION

FORMS = ("dataframe_split", "dataframe_records", "instances", "inputs")
METHODS = ("predict", "predict_proba")
_BOOLEANS = {"true": True, "false": False}
_CODES = {
    HTTPStatus.NOT_FOUND: "RESOURCE_DOES_NOT_EXIST",
    HTTPStatus.UNAUTHORIZED: "UNAUTHENTICATED",
    HTTPStatus.FORBIDDEN: "PERMISSION_DENIED",
    HTTPStatus.TOO_MANY_REQUESTS: "REQUEST_LIMIT_EXCEEDED",
    HTTPStatus.SERVICE_UNAVAILABLE: "TEMPORARILY_UNAVAILABLE",
}


class Params(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    predict_method: Literal["predict", "predict_proba"] = "predict"


def invocation_body(loaded: LoadedModel | None) -> RequestBody:
    """Return what `/invocations` reads, in one of its forms; the others are said in words."""
    rows: Any = list[loaded.row_model] if loaded else list[dict[str, Any]]  # type: ignore[name-defined]
    form = create_model(
        "Invocation",
        __config__=ConfigDict(extra="forbid", strict=True),
        dataframe_records=(rows, Field(min_length=1, max_length=loaded.most_rows if loaded else None)),
        params=(Params, Field(Params())),
    )
    return RequestBody(form)


class Predictions(AnswerModel):
    predictions: list[Any]  # of each row


class EndpointModel(AnswerModel):
    name: str
    provider: str


class Endpoint(AnswerModel):
    """What `mlflow.deployments` calls an endpoint: the model in service."""

    name: str
    endpoint_type: str
    model: EndpointModel
    endpoint_url: str
    limit: None = None


class Endpoints(AnswerModel):
    endpoints: list[Endpoint]


class InvocationError(AnswerModel):
    error_code: str
    message: str


def error_response(problem: Problem) -> Response:
    """Return `problem` as MLflow has errors."""
    said = [f"{one['field']}: {one['detail']}" for one in problem.errors if one.get("field")]
    message = " ".join([problem.detail, *said[:3]])
    status = HTTPStatus.BAD_REQUEST if problem.status == HTTPStatus.UNPROCESSABLE_ENTITY else problem.status
    content = json.dumps({"error_code": _CODES.get(status, "BAD_REQUEST"), "message": message})
    return Response(content, status, problem.headers, "application/json")


async def ping(request: Request) -> Response:
    """Health check."""
    state_of(request).require_model()
    return Response("\n", media_type="text/plain")


async def version(request: Request) -> Response:
    """Version of the server."""
    return Response(VERSION, media_type="text/plain")


async def endpoints(request: Request) -> Endpoints:
    """The endpoints, of which there is one."""
    return Endpoints(endpoints=[_endpoint(state_of(request).require_model())])


async def endpoint(request: Request) -> Endpoint:
    """One endpoint."""
    loaded = state_of(request).require_model()
    return _endpoint(asked_for(loaded, request.scope.get("path_params", {})))


def _endpoint(loaded: LoadedModel) -> Endpoint:
    name = loaded.bundle.manifest.name
    return Endpoint(
        name=name,
        endpoint_type=loaded.bundle.manifest.task,
        model=EndpointModel(name=f"{name} version {loaded.version}", provider="mlops-core"),
        endpoint_url=f"/endpoints/{quote(name)}/invocations",
    )


def invocations(state: AppState) -> ASGIApp:
    """Return the ASGI app of `/invocations`."""
    return Scoring(state, ("application/json", "text/csv"), _invoke)


def _invoke(call: Call) -> Response:
    schema = asked_for(call.loaded, call.path).bundle.schema
    method = METHODS[0]
    if media_type(call.headers) == "text/csv":
        columns = _from_csv(schema, call.body)
    else:
        request = read_json(call.body)
        given = [form for form in FORMS if form in request]
        if len(given) != 1 or request.keys() - {*FORMS, "params"}:
            raise bad_request(f"The body needs one of {', '.join(FORMS)}, and may have `params`.")
        columns = _columns(schema, given[0], request[given[0]])
        method = _method(request.get("params", {}))
    outputs = predict_rows(call.loaded, columns)
    answers = side("src.serving.answers", call.loaded.bundle.manifest.task)
    predictions = answers.plain(schema, outputs, method)
    return Response(json.dumps({"predictions": predictions}), media_type="application/json")


def _method(params: object) -> str:
    try:
        return Params.model_validate(params).predict_method
    except ValidationError:
        known = " or ".join(METHODS)
        raise bad_request(f"`params` may hold `predict_method`, {known}, and nothing else.") from None


def _columns(schema: Schema, form: str, value: object) -> Mapping[str, Sequence[object]]:
    if form == "dataframe_split":
        if not isinstance(value, dict) or not isinstance(value.get("data"), list):
            raise bad_request("`dataframe_split` is not an object with `columns` and `data`.")
        return _by_position(value.get("columns", schema.names), value["data"])
    if isinstance(value, dict) and form == "inputs":
        if not all(isinstance(values, list) for values in value.values()):
            raise bad_request("`inputs` is not an object of lists, one for each column.")
        return value
    if not isinstance(value, list) or not value:
        raise bad_request(f"`{form}` is not a list of rows.")
    if all(isinstance(row, dict) for row in value):
        names = dict.fromkeys(name for row in value for name in row)  # a field may be missing in a row
        return {name: [row.get(name) for row in value] for name in names}
    return _by_position(schema.names, value)


def _by_position(columns: object, rows: list[Any]) -> Mapping[str, Sequence[object]]:
    if not isinstance(columns, list) or not all(isinstance(name, str) for name in columns):
        raise bad_request("`columns` is not a list of names.")
    if len(set(columns)) < len(columns):
        raise bad_request("A column is there more than once.")
    for place, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != len(columns):
            raise bad_request(f"Row {place} is not a list of {len(columns)} values, one for each column.")
    return {name: [row[place] for row in rows] for place, name in enumerate(columns)}


def _from_csv(schema: Schema, body: bytes) -> Mapping[str, Sequence[object]]:
    try:
        lines = list(csv.reader(io.StringIO(body.decode("utf-8-sig"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error):
        raise bad_request("The body is not CSV in UTF-8.") from None
    header, *rows = [line for line in lines if line] or [[]]
    spelled = [column for column in schema.columns if isinstance(column, CategoryColumn | DateColumn)]
    texts = {column.name for column in spelled} | {column.header for column in spelled}
    found = _by_position(header, [list(row) for row in rows])
    return {
        name: values if name in texts else [_number(str(value)) for value in values]
        for name, values in found.items()
    }


def _number(text: str) -> object:
    """Return what a cell spells; what is no number stays a text, which may mean that there is none."""
    text = text.strip()
    if text.lower() in _BOOLEANS:
        return _BOOLEANS[text.lower()]
    if not NUMBER.fullmatch(text):
        return text
    return int(text) if text.lstrip("+-").isdigit() and len(text) < 300 else float(text)

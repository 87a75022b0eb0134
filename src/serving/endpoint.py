"""What an endpoint is: all that its route, limit, metrics, documents and ingress need to know of it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from src.serving.http.context import RequestContext
from src.serving.http.turns import require_patience
from src.serving.loaded_model import LoadedModel
from src.serving.problems import PROBLEM, Form, Problem
from src.serving.state import AppState
from src.tasks import TaskName, side

# What a request with a body may end with, beside what any may.
BODY_PROBLEMS = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.SERVICE_UNAVAILABLE,
)
# In the protocols of others a row that does not match the schema is a bad request, too.
PROTOCOL_PROBLEMS = tuple(status for status in BODY_PROBLEMS if status is not HTTPStatus.UNPROCESSABLE_ENTITY)
NO_MODEL = (HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE)  # of this name and version, or at all
Function = Callable[[Request], Awaitable[BaseModel | Response]]
Handler = Callable[[AppState], ASGIApp]


class RequestBody(NamedTuple):
    """What a request must hold."""

    type: Any  # of which pydantic can make a schema
    example: Any = None


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """One entry of the table in `src.serving.endpoints`.

    Args:
        name: the operation's, unique; clients that are generated from the OpenAPI document call it.
        handler: makes the ASGI app that answers; `answering` does of a function.
        key: whether callers need one, where there are any.
        limit: requests per client; a setting that says so, which endpoints may share, or itself `20/minute`.
            Each endpoint counts for itself.
        body: what a request must hold, when this model is in service or none is.
        answer: of which pydantic can make a schema; JSON, unless it is `str`.
        query: yes-or-no parameters of the query, `true` or `false`, and what they ask for.
        of_task: fields that the task of the model decides, from its module of `src.serving.answers`.
        other_answers: statuses beside 200 that have the same body, and what they mean.
        problems: statuses beside those of the key, the limit and a failure.
        form: how its problems are answered, where its protocol has errors of its own.
        media_type: of the answer, where it is neither JSON nor plain text.
        tag: the group that the documentation shows it in.
        internal: for the cluster alone, the ingress does not lead to it.
        documented: whether it is in the OpenAPI document and in the tables.
    """

    path: str
    name: str
    handler: Handler
    summary: str = ""
    description: str = ""
    method: Literal["DELETE", "GET", "PATCH", "POST", "PUT"] = "GET"
    key: bool = False
    limit: str | None = None
    body: Callable[[LoadedModel | None], RequestBody] | None = None
    answer: type[Any] = str
    query: Mapping[str, str] = field(default_factory=dict, hash=False)
    of_task: Callable[[Any], dict[str, Any]] | None = None
    other_answers: Mapping[HTTPStatus, str] = field(default_factory=dict, hash=False)
    problems: tuple[HTTPStatus, ...] = ()
    form: Form = PROBLEM
    tag: str = "Operations"
    media_type: str | None = None
    internal: bool = False
    documented: bool = True

    @property
    def all_problems(self) -> list[HTTPStatus]:
        """Every status of a problem but 500, which any request may end with."""
        of_key = [HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN] if self.key else []
        of_limit = [HTTPStatus.TOO_MANY_REQUESTS] if self.key or self.limit else []
        return sorted({*of_key, *of_limit, *self.problems})

    def for_task(self, task: TaskName) -> "Endpoint":
        """Return the endpoint as it is while a model of `task` is in service."""
        if self.of_task is None:
            return self
        return replace(self, **self.of_task(side("src.serving.answers", task)))

    def app(self, state: AppState) -> ASGIApp:
        """Return what answers requests to this endpoint."""
        answer = self.handler(state)
        whole = Admission(self, state, answer) if self.key or self.limit else answer
        return whole if self.form is PROBLEM else Formed(whole, self.form)


class Admission:
    """What comes before an answer: who calls, how often, and whether it comes too late under overload."""

    def __init__(self, endpoint: Endpoint, state: AppState, answer: ASGIApp) -> None:
        limit = endpoint.limit
        self._admit = state.auth.admit if endpoint.key and not state.auth.is_open else None
        self._take = state.quotas.of(endpoint.path, limit).take if limit else None
        self._is_shed = endpoint.body is not None
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._is_shed:
            require_patience(scope)
        context: RequestContext = scope["context"]
        if self._admit is not None:
            await self._admit(context)
        if self._take is not None:
            await self._take(context)
        await self._answer(scope, receive, send)


class Formed:
    """Answers the problems of an app in the form of another protocol."""

    def __init__(self, app: ASGIApp, form: Form) -> None:
        self._app = app
        self._form = form

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except Problem as problem:
            scope["context"].error = problem.kind
            await self._form.response(problem)(scope, receive, send)


class Answer:
    """An ASGI app that answers what a function returns."""

    def __init__(self, function: Function) -> None:
        self._function = function

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = await self._function(Request(scope, receive))
        response = answer if isinstance(answer, Response) else json_response(answer)
        await response(scope, receive, send)


def answering(function: Function) -> Handler:
    """Return `function` as the handler of an endpoint."""
    return lambda state: Answer(function)


def json_response(answer: BaseModel, status: HTTPStatus = HTTPStatus.OK) -> Response:
    """Return `answer` as the body of a response."""
    return Response(answer.model_dump_json(), status, media_type="application/json")

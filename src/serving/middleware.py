"""What happens to every request, whatever its path; each class has one job."""

import logging
import time
from collections.abc import Mapping, Set
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from src.serving.http.context import RequestContext
from src.serving.http.turns import waited
from src.serving.logs import RequestLog
from src.serving.paths import Paths
from src.serving.problems import Problem
from src.serving.state import AppState

UNKNOWN_ROUTE = "unknown"
METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
OTHER_METHOD = "other"

Routes = Mapping[str, Set[str]]  # path, as the table of endpoints has it: methods

logger = logging.getLogger(__name__)


def path_of(scope: Scope) -> str:
    """Return the path of a request below the app's root."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))


class Observe:
    """Outermost: opens the exchange, then measures, counts and logs it."""

    def __init__(
        self, app: ASGIApp, routes: Routes, state: AppState, log: RequestLog, trusts_proxies: bool
    ) -> None:
        self._app = app
        self._find = Paths(routes).find
        self._state = state
        self._metrics = state.metrics
        self._log = log
        self._trusts_proxies = trusts_proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter() - waited(scope)
        match = self._find(path_of(scope))
        if match is None:
            route = UNKNOWN_ROUTE
        else:
            route, scope["path_params"] = match
        context = scope["context"] = RequestContext(scope, send, route, self._trusts_proxies)
        if self._state.draining:
            context.added.append((b"connection", b"close"))  # the next request goes to another server
        in_flight = self._metrics.in_flight
        in_flight.inc()
        try:
            await self._app(scope, receive, context.send)
        finally:
            in_flight.dec()
            self._record(scope["method"], context, time.perf_counter() - started)

    def _record(self, method: str, context: RequestContext, seconds: float) -> None:
        method = method if method in METHODS else OTHER_METHOD
        add, observe = self._metrics.request(method, context.route, context.status)
        add()
        observe(seconds)
        if context.error is not None:
            self._metrics.errors.labels(context.error, context.route).inc()
        self._log.add(
            context.request_id.decode(),
            context.route,
            method,
            context.status,
            seconds,
            context.client,
            context.predicted,
            context.trace_id,
        )


class Cors(CORSMiddleware):
    """Starlette's, out of the way of requests that come from no page; refusals are problems."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and b"origin" not in scope["context"].headers:
            scope["context"].added.append((b"vary", b"Origin"))
            await self.app(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)

    def preflight_response(self, request_headers: Headers) -> Response:
        response = super().preflight_response(request_headers)
        if response.status_code == HTTPStatus.OK:
            return response
        kept = {name: response.headers[name] for name in response.headers if not name.startswith("content-")}
        detail = "A page of this origin may not send this request."
        return Problem(HTTPStatus.BAD_REQUEST, "cors", detail, kept).response()


class LastResort:
    """Answers 500 when something failed that nobody expected, and tells the log what it was."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except Exception:  # whatever it is, the caller gets an answer
            if scope["type"] != "http":
                raise
            context: RequestContext = scope["context"]
            logger.exception("a request failed", extra={"request_id": context.request_id.decode()})
            context.error = "internal"
            if context.status != 499:
                raise  # half an answer is out: only closing the connection tells the caller
            problem = Problem(HTTPStatus.INTERNAL_SERVER_ERROR, "internal")
            await problem.response()(scope, receive, send)


class Methods:
    """HEAD, OPTIONS and methods that are not allowed, alike for every path."""

    def __init__(self, app: ASGIApp, routes: Routes) -> None:
        self._app = app
        self._routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        allowed = self._routes.get(scope["context"].route) if scope["type"] == "http" else None
        if allowed is None or scope["method"] in allowed:
            await self._app(scope, receive, send)
            return
        method: str = scope["method"]
        if method == "HEAD" and "GET" in allowed:
            await self._app({**scope, "method": "GET"}, receive, _without_body(send))
            return
        listed = ", ".join(sorted({*allowed, "OPTIONS"} | ({"HEAD"} if "GET" in allowed else set())))
        if method == "OPTIONS":
            headers = [(b"allow", listed.encode())]
            await send({"type": "http.response.start", "status": 204, "headers": headers})
            await send({"type": "http.response.body"})
            return
        scope["context"].error = "method_not_allowed"
        problem = Problem(
            HTTPStatus.METHOD_NOT_ALLOWED,
            "method_not_allowed",
            f"This path answers {listed}.",
            {"Allow": listed},
        )
        await problem.response()(scope, receive, send)


class FastPath:
    """Innermost: takes a request straight to an endpoint that is ASGI itself.

    FastAPI's layers below, made for endpoints that are functions, would take as long as the model.
    """

    def __init__(self, app: ASGIApp, endpoints: Mapping[str, ASGIApp]) -> None:
        self._app = app
        self._endpoints = endpoints

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        endpoint = self._endpoints.get(scope["context"].route) if scope["type"] == "http" else None
        if endpoint is None:
            await self._app(scope, receive, send)
            return
        try:
            await endpoint(scope, receive, send)
        except Problem as problem:
            scope["context"].error = problem.kind
            await problem.response()(scope, receive, send)


def _without_body(send: Send) -> Send:
    async def send_head(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return send_head

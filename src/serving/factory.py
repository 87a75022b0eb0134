"""The app: what it is made of, in the order a request meets it."""

import gc
import sys
from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeVar

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Route
from starlette.types import ASGIApp

from src.config import Settings, load_settings
from src.errors import ConfigError
from src.serving import logs
from src.serving.auth import HEADER
from src.serving.endpoints import ENDPOINTS
from src.serving.follower import Follower
from src.serving.lifespan import lifespan_of
from src.serving.middleware import Cors, FastPath, LastResort, Methods, Observe
from src.serving.openapi import Document
from src.serving.problems import Problem, answer_http_exception, answer_problem
from src.serving.state import AppState
from src.store.sources import Source, source_for
from src.version import VERSION

T = TypeVar("T")
EXPOSED = [
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "X-RateLimit-Limit",
    "X-RateLimit-Remaining",
    "X-RateLimit-Reset",
    "X-Request-ID",
]


def create_app(settings: Settings | None = None, source: Source | None = None) -> FastAPI:
    """Return the app; without arguments it is configured by the environment, and so is the log.

    An environment that is not fit to serve ends the process with one line and exit code 2.
    """
    if settings is None:
        settings = _or_exit(load_settings)
        logs.setup(settings)
        gc.freeze()  # all that was imported stays: no use in looking through it again and again
    state = _or_exit(partial(AppState, settings))
    follower = Follower(source or _or_exit(partial(source_for, settings)), state)
    app = FastAPI(
        title="mlops-core",
        version=VERSION,
        lifespan=lifespan_of(state, follower),
        openapi_url=None,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # asked for at every request otherwise
        exception_handlers={Problem: answer_problem, HTTPException: answer_http_exception},
    )
    app.state.shared = state
    app.state.follower = follower
    document = app.state.document = Document(state, ENDPOINTS)
    app.openapi = document.content  # type: ignore[method-assign]
    apps = {endpoint.path: endpoint.app(state) for endpoint in ENDPOINTS}
    # For who looks at the app's routes; requests take the shorter way, through FastPath.
    app.router.routes += [
        Route(endpoint.path, apps[endpoint.path], methods=[endpoint.method], name=endpoint.name)
        for endpoint in ENDPOINTS
    ]
    app.user_middleware = _middleware(state, apps)
    return app


def _middleware(state: AppState, apps: Mapping[str, ASGIApp]) -> list[Middleware]:
    """Return what every request passes, from the outside in, before it comes to what answers its path."""
    settings = state.settings
    methods = {endpoint.path: frozenset({endpoint.method}) for endpoint in ENDPOINTS}
    cors = Middleware(
        Cors,
        allow_origins=settings.allowed_origins,
        allow_methods=sorted({"HEAD"}.union(*methods.values())),
        allow_headers=[HEADER, "X-Request-ID", "traceparent"],
        expose_headers=EXPOSED,
    )
    trusts_proxies = bool(settings.forwarded_allow_ips)
    return [
        Middleware(Observe, methods, state, logs.RequestLog(settings), trusts_proxies),
        cors,
        Middleware(LastResort),
        Middleware(Methods, methods),
        Middleware(FastPath, apps),
    ]


def _or_exit(read: Callable[[], T]) -> T:
    """Return what `read` does; a mistake in the environment is one line and the end of the process."""
    try:
        return read()
    except ConfigError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)

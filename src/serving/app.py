"""The app: what it is made of, in the order a request meets it."""

import gc
import sys
from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeVar

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Route
from starlette.types import ASGIApp

from src.config import Settings, load_settings
from src.errors import ConfigError
from src.serving import logs, routes
from src.serving.auth import HEADER
from src.serving.docs import OPENAPI, docs_routes
from src.serving.follower import Follower
from src.serving.lifespan import lifespan_of
from src.serving.middleware import Cors, FastPath, LastResort, Methods, Observe
from src.serving.openapi import Document
from src.serving.predict import Predict, PredictBatch
from src.serving.problems import Problem, answer_http_exception, answer_problem
from src.serving.state import AppState
from src.store.sources import Source, source_for
from src.version import VERSION

T = TypeVar("T")
EXPOSED = ["Retry-After", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "X-Request-ID"]


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
    predict, predict_batch = Predict(state), PredictBatch(state)
    app.router.routes += [
        Route("/predict", predict, methods=["POST"]),
        Route("/predict/batch", predict_batch, methods=["POST"]),
    ]
    app.include_router(routes.router)
    document = Document(state)
    app.openapi = document.content  # type: ignore[method-assign]
    app.router.routes += [Route(OPENAPI, document.respond, include_in_schema=False), *docs_routes()]
    app.user_middleware = _middleware(app, state, {"/predict": predict})
    return app


def _middleware(app: FastAPI, state: AppState, endpoints: Mapping[str, ASGIApp]) -> list[Middleware]:
    """Return what every request passes, from the outside in."""
    settings = state.settings
    paths = {
        str(context.path): frozenset(context.methods or ()) for context in iter_route_contexts(app.routes)
    }
    cors = Middleware(
        Cors,
        allow_origins=settings.cors_origins,
        allow_methods=["GET", "HEAD", "POST"],
        allow_headers=[HEADER, "X-Request-ID", "traceparent"],
        expose_headers=EXPOSED,
    )
    trusts_proxies = bool(settings.forwarded_allow_ips)
    return [
        Middleware(Observe, paths, state, logs.RequestLog(settings), trusts_proxies),
        *([cors] if settings.cors_origins else []),
        Middleware(LastResort),
        Middleware(Methods, paths),
        Middleware(FastPath, endpoints),
    ]


def _or_exit(read: Callable[[], T]) -> T:
    """Return what `read` does; a mistake in the environment is one line and the end of the process."""
    try:
        return read()
    except ConfigError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)


app = create_app()

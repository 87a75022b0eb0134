"""The endpoints beside `/predict`."""

from http import HTTPStatus
from typing import Annotated, cast

from fastapi import APIRouter, Depends, Request, Response, Security
from fastapi.security import APIKeyHeader

from src.serving import auth, metrics, models
from src.serving.http.context import RequestContext
from src.serving.problems import Problem, describe
from src.serving.state import AppState
from src.version import VERSION

router = APIRouter()
api_key = APIKeyHeader(name=auth.HEADER, scheme_name="APIKey", auto_error=False)


def state_of(request: Request) -> AppState:
    """Return what the app of `request` shares."""
    return cast(AppState, request.app.state.shared)


def context_of(request: Request) -> RequestContext:
    """Return what is known of `request`."""
    return cast(RequestContext, request.scope["context"])


CurrentState = Annotated[AppState, Depends(state_of)]
CurrentContext = Annotated[RequestContext, Depends(context_of)]


async def require_key(state: CurrentState, context: CurrentContext) -> None:
    """Let in who holds a key; raises a Problem, 401, 403 or 429."""
    await state.auth.admit(context)


async def limit_health(state: CurrentState, context: CurrentContext) -> None:
    """Count the request; raises a Problem, 429, when it is one too many."""
    await state.quotas.health.take(context)


async def limit_model_info(state: CurrentState, context: CurrentContext) -> None:
    """Count the request; raises a Problem, 429, when it is one too many."""
    await state.quotas.model_info.take(context)


@router.get("/")
async def home() -> models.Home:
    """Say what this is and where to look next."""
    return models.Home(message="mlops-core serves a model", version=VERSION, docs="/docs", health="/health")


@router.get(
    "/health",
    dependencies=[Depends(limit_health)],
    responses={
        HTTPStatus.SERVICE_UNAVAILABLE: {"model": models.Health, "description": "No model is loaded"},
        **describe(HTTPStatus.TOO_MANY_REQUESTS),
    },
)
async def health(state: CurrentState, response: Response) -> models.Health:
    """Say whether predictions can be had; 503 without a model."""
    loaded = state.loaded
    if loaded is None:
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
        return models.Health(status="unhealthy", model_loaded=False, version=VERSION, model_version=None)
    return models.Health(status="healthy", model_loaded=True, version=VERSION, model_version=loaded.version)


@router.get("/livez")
async def alive() -> models.Probe:
    """Say that the process lives."""
    return models.Probe(status="alive")


@router.get("/readyz", responses=describe(HTTPStatus.SERVICE_UNAVAILABLE))
async def ready(state: CurrentState) -> models.Probe:
    """Say whether to send requests here; 503 without a model, and once told to stop."""
    if state.draining:
        detail = "The server is about to stop."
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "draining", detail, {"Retry-After": "5"})
    state.require_model()
    return models.Probe(status="ready")


@router.get(
    "/metrics",
    response_class=Response,
    responses={HTTPStatus.OK: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def prometheus(state: CurrentState) -> Response:
    """Give the metrics in Prometheus' text format."""
    return Response(state.metrics.render(), headers={"Content-Type": metrics.CONTENT_TYPE})


@router.get(
    "/model/info",
    dependencies=[Security(api_key), Depends(require_key), Depends(limit_model_info)],
    responses=describe(
        HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.TOO_MANY_REQUESTS
    ),
)
async def model_info(state: CurrentState) -> models.ModelInfo:
    """Say where the model in service comes from and how good it is; 404 without one."""
    if state.loaded is None:
        raise Problem(HTTPStatus.NOT_FOUND, "no_model", "No model is loaded yet.")
    bundle = state.loaded.bundle
    known = {**bundle.manifest.model_dump(), **bundle.manifest.measures, "digest": bundle.digest}
    return models.ModelInfo(**{name: known[name] for name in models.ModelInfo.model_fields})

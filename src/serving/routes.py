"""The handlers of the endpoints beside `/predict`; `src.serving.endpoints` says where they are."""

import asyncio
from http import HTTPStatus
from typing import cast

from starlette.requests import Request
from starlette.responses import Response

from src.serving import metrics, models
from src.serving.endpoint import json_response
from src.serving.follower import Follower
from src.serving.problems import Problem
from src.serving.state import AppState
from src.tasks import side
from src.version import VERSION

RELOAD_SECONDS = 60  # that a source may take to give a model


def state_of(request: Request) -> AppState:
    """Return what the app of `request` shares."""
    return cast(AppState, request.app.state.shared)


def require_pages(state: AppState) -> None:
    """Raise a Problem, 404, when the pages for people are turned off."""
    if state.settings.pages == "off":
        raise Problem(HTTPStatus.NOT_FOUND, "not_found")


async def home(request: Request) -> models.Home:
    """Service information."""
    return models.Home(message="mlops-core serves a model", version=VERSION, docs="/docs", health="/health")


async def health(request: Request) -> models.Health | Response:
    """Health check."""
    loaded = state_of(request).loaded
    if loaded is None:
        unhealthy = models.Health(status="unhealthy", model_loaded=False, version=VERSION, model_version=None)
        return json_response(unhealthy, HTTPStatus.SERVICE_UNAVAILABLE)
    return models.Health(status="healthy", model_loaded=True, version=VERSION, model_version=loaded.version)


async def alive(request: Request) -> models.Probe:
    """Liveness probe."""
    return models.Probe(status="alive")


async def ready(request: Request) -> models.Probe:
    """Readiness probe."""
    state = state_of(request)
    if state.draining:
        detail = "The server is about to stop."
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "draining", detail, {"Retry-After": "5"})
    state.require_model()
    return models.Probe(status="ready")


async def prometheus(request: Request) -> Response:
    """Prometheus metrics."""
    counted = state_of(request).metrics
    counted.flush()
    content = await asyncio.to_thread(counted.render)
    return Response(content, headers={"Content-Type": metrics.CONTENT_TYPE})


async def reload(request: Request) -> models.Reloaded:
    """Ask the source for a newer model now."""
    state = state_of(request)
    follower = cast(Follower, request.app.state.follower)
    before = state.loaded and state.loaded.bundle.digest
    if not await follower.ask_now(RELOAD_SECONDS):
        raise Problem(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "reload_failed",
            f"The model's source has not answered after {RELOAD_SECONDS} seconds.",
        )
    if state.source_message is not None:
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "reload_failed", state.source_message)
    bundle = state.require_model().bundle
    return models.Reloaded(
        name=bundle.manifest.name, version=bundle.manifest.version, changed=bundle.digest != before
    )


async def model_info(request: Request) -> models.AnswerModel:
    """Metadata of the model in service."""
    loaded = state_of(request).loaded
    if loaded is None:
        raise Problem(HTTPStatus.NOT_FOUND, "no_model", "No model is loaded yet.")
    bundle = loaded.bundle
    known = {**bundle.manifest.model_dump(), **bundle.manifest.measures, "digest": bundle.digest}
    answer: type[models.AnswerModel] = side("src.serving.answers", bundle.manifest.task).ModelInfo
    return answer(**{name: known[name] for name in answer.model_fields})

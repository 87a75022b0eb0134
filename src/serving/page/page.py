"""The page for people: what is in service, a form to try it, how it does now, what was before."""

import asyncio
from collections.abc import Callable, Iterator
from functools import cache
from html import escape
from http import HTTPStatus
from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from src.disk.reading import read_within
from src.errors import MlopsError
from src.serving import models
from src.serving.loaded_model import LoadedModel
from src.serving.page.form import form
from src.serving.problems import Problem
from src.serving.routes import home, require_pages, state_of
from src.serving.security import security_headers
from src.serving.state import AppState
from src.store.ledger import LEDGER, Promotion, parse_ledger
from src.store.location import store_folder
from src.tasks import TASKS, side
from src.version import VERSION

STATIC = Path(__file__).parent / "static"
FILES = {"page.css": "text/css; charset=utf-8", "page.js": "text/javascript; charset=utf-8"}
MOST_LEDGER = 2**20  # bytes that are read of the history
MOST_STEPS = 20
_MEASURES = {"f1_score": "F1 score", "mae": "MAE", "r2": "R²", "rmse": "RMSE", "roc_auc": "ROC AUC"}
_KEEP = security_headers("default-src 'none'; frame-ancestors 'none'") + [
    (b"cache-control", b"public, max-age=3600")
]
_CARD = security_headers("default-src 'none'; frame-ancestors 'none'; sandbox") + [
    (b"cache-control", b"no-store")
]
_POLICY = security_headers(
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
) + [(b"cache-control", b"no-store")]


async def front(request: Request) -> models.Home | Response:
    """Service information: JSON, or the page for who asks for HTML."""
    state = state_of(request)
    context = request.scope["context"]
    if state.settings.pages == "off" or b"text/html" not in context.headers.get(b"accept", b""):
        return await home(request)
    context.security = _POLICY
    context.added.append((b"vary", b"Accept"))
    # Behind a key is what `/model/info` has: then the script asks for it, with the key.
    inside = await _model(state) if state.auth.is_open and state.loaded is not None else ""
    settings = state.settings
    links = {
        "Grafana": settings.grafana_url,
        "Prometheus": settings.prometheus_url,
        "MLflow": settings.mlflow_url,
    }
    return HTMLResponse(
        _shell().format(
            version=escape(VERSION),
            model=inside,
            needs_key="" if state.auth.is_open else "yes",
            links="".join(f'<a href="{escape(url)}">{name}</a>' for name, url in links.items() if url),
        )
    )


async def fragment(request: Request) -> Response:
    """The part of the page that the model decides."""
    return HTMLResponse(await _model(_state_with_pages(request)))


async def card(request: Request) -> Response:
    """The model card of the bundle in service."""
    loaded = state_of(request).loaded
    if loaded is None or loaded.bundle.card_page is None:
        raise Problem(HTTPStatus.NOT_FOUND, "no_model", "There is no model card.")
    request.scope["context"].security = _CARD
    return Response(loaded.bundle.card_page, media_type="text/html")


async def asset(request: Request) -> Response:
    """The page's style sheet and script."""
    name = request.scope["path"].rpartition("/")[2]
    _state_with_pages(request)
    request.scope["context"].security = _KEEP
    return Response(_file(name), headers={"Content-Type": FILES[name]})


def _state_with_pages(request: Request) -> AppState:
    state = state_of(request)
    require_pages(state)
    return state


async def _model(state: AppState) -> str:
    loaded = state.require_model()
    steps = await asyncio.to_thread(_history, state, loaded)
    return "".join(_sections(loaded, state, steps))


def _sections(loaded: LoadedModel, state: AppState, steps: list[Promotion]) -> Iterator[str]:
    manifest = loaded.bundle.manifest
    facts = {
        "Task": manifest.task,
        "Model": manifest.model_type,
        "Target": loaded.bundle.schema.target_header,
        "In service since": state.served_since,
        "Put there by": _by(steps),
        "Trained": f"{manifest.created_at} on {manifest.n_samples} rows, {manifest.n_features} columns",
        "Data": manifest.data_digest[:12],
        "Commit": (manifest.git_commit or "")[:12],
        "Parameters": ", ".join(f"{name} {value}" for name, value in manifest.parameters.items()),
    }
    link = ' <a href="model/card">Model card</a>' if loaded.bundle.card_page and state.auth.is_open else ""
    listed = "".join(
        f"<div><dt>{name}</dt><dd>{escape(text)}</dd></div>" for name, text in facts.items() if text
    )
    yield (
        f'<section aria-labelledby="model"><h1 id="model">{escape(manifest.name)} '
        f'<span class="tag">version {escape(manifest.version)}</span></h1>'
        f"<dl>{listed}</dl><p>{link}</p></section>"
    )
    yield form(loaded)
    for part in (_measures, _charts):
        yield _or_nothing(part, loaded)
    if steps:
        yield _was_before(steps)


def _or_nothing(part: Callable[[LoadedModel], str], loaded: LoadedModel) -> str:
    """Return a part of the page; of a bundle whose metrics are not as we write them, nothing."""
    try:
        return part(loaded)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        return ""


def _measures(loaded: LoadedModel) -> str:
    manifest, metrics = loaded.bundle.manifest, loaded.bundle.metrics
    intervals = side("src.serving.page.tasks", manifest.task).intervals(loaded.bundle)
    rows = []
    for name in TASKS[manifest.task].measures:
        if (value := manifest.measures.get(name)) is None:
            continue
        low, high = intervals.get(name, (None, None))
        between = "" if low is None else f"{low:.3f} to {high:.3f}"
        rows.append(
            f"<tr><th scope=row>{_MEASURES.get(name, name.replace('_', ' '))}</th><td>{value:.4f}</td>"
            f"<td>{metrics['baseline'][name]:.4f}</td><td>{between}</td></tr>"
        )
    return (
        '<section aria-labelledby="measures"><h2 id="measures">Metrics</h2><p class="muted">'
        f"On {int(metrics['rows'])} test rows, beside a baseline that ignores the features.</p>"
        '<div class="scroll" tabindex="0" role="region" aria-label="Table of metrics">'
        "<table><thead><tr><th scope=col>metric</th><th scope=col>model</th><th scope=col>baseline</th>"
        "<th scope=col>95 % interval</th></tr>"
        f"</thead><tbody>{''.join(rows)}</tbody></table></div></section>"
    )


def _charts(loaded: LoadedModel) -> str:
    charts = side("src.serving.page.tasks", loaded.bundle.manifest.task).charts(loaded.bundle)
    drawn = "".join(
        f'<figure><figcaption>{title}</figcaption><div class="scroll" tabindex="0" role="region" '
        f'aria-label="{title}: chart">{chart}</div></figure>'
        for title, chart in charts
    )
    return (
        '<section aria-labelledby="charts"><h2 id="charts">How good it is</h2>'
        f'<div class="grid">{drawn}</div></section>'
    )


def _was_before(steps: list[Promotion]) -> str:
    rows = "".join(
        f"<tr><td>{escape(step.time)}</td><td>{step.action or 'promote'}</td><td>{escape(step.version)}</td>"
        f"<td>{escape(_author(step))}</td><td>{escape(step.reason or '')}</td></tr>"
        for step in reversed(steps[-MOST_STEPS:])
    )
    return (
        '<section aria-labelledby="before"><h2 id="before">History</h2><div class="scroll" tabindex="0" '
        'role="region" aria-label="Table of promotions"><table><thead><tr><th scope=col>time</th>'
        "<th scope=col>action</th><th scope=col>version</th><th scope=col>by</th>"
        "<th scope=col>reason</th></tr></thead>"
        f"<tbody>{rows}</tbody></table></div></section>"
    )


def _by(steps: list[Promotion]) -> str:
    if not steps:
        return ""
    return f"{_author(steps[-1])}{': ' + str(steps[-1].reason) if steps[-1].reason else ''}"


def _author(step: Promotion) -> str:
    return "@".join(part for part in (step.user, step.host) if part)


def _history(state: AppState, loaded: LoadedModel) -> list[Promotion]:
    """Return the promotions of the store on this machine, if the last of them is what is in service."""
    try:
        content = read_within(store_folder(state.settings), LEDGER, MOST_LEDGER)
        steps = parse_ledger(content or b"")
    except (MlopsError, OSError, ValueError):
        return []
    return steps if steps and steps[-1].manifest_sha256 == loaded.bundle.digest else []


@cache
def _shell() -> str:
    return (STATIC / "page.html").read_text(encoding="utf-8")


@cache
def _file(name: str) -> bytes:
    return (STATIC / name).read_bytes()

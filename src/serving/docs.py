"""`/docs` and `/redoc`, from files of our own: their pages ask no other host for anything."""

import base64
import hashlib
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from fastapi.openapi.docs import get_redoc_html, get_swagger_ui_html
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles

from src.serving.routes import require_pages, state_of
from src.serving.security import security_headers

ASSETS = "/assets"
OPENAPI = "/openapi.json"
FILES = ("favicon.png", "redoc.standalone.js", "swagger-ui-bundle.js", "swagger-ui.css")
_KEEP = security_headers("default-src 'none'; frame-ancestors 'none'") + [
    (b"cache-control", b"public, max-age=86400")
]


async def asset(request: Request) -> Response:
    """A file that the pages need."""
    request.scope["context"].security = _KEEP
    return await _static_files().get_response(request.scope["path"].rpartition("/")[2], request.scope)


async def swagger(request: Request) -> Response:
    """The documentation as Swagger UI shows it."""
    require_pages(state_of(request))
    return _page(request, _swagger())


async def redoc(request: Request) -> Response:
    """The documentation as ReDoc shows it."""
    require_pages(state_of(request))
    return _page(request, _redoc())


def _page(request: Request, html: str) -> Response:
    """Return `html`, which may run its own scripts and load our files, and nothing else."""
    hashes = "".join(f" '{_hash(script)}'" for script in re.findall(r"(?s)<script>(.*?)</script>", html))
    request.scope["context"].security = security_headers(
        f"default-src 'none'; script-src 'self'{hashes}; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data:; connect-src 'self'; worker-src blob:; "
        "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    )
    return HTMLResponse(html)


def _hash(script: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}"


@cache
def _swagger() -> str:
    page = get_swagger_ui_html(
        openapi_url=_beside(OPENAPI),
        title="mlops-core",
        swagger_js_url=_beside(f"{ASSETS}/swagger-ui-bundle.js"),
        swagger_css_url=_beside(f"{ASSETS}/swagger-ui.css"),
        swagger_favicon_url=_beside(f"{ASSETS}/favicon.png"),
        swagger_ui_parameters={"validatorUrl": None},  # it would send the document to another host
    )
    return bytes(page.body).decode()


@cache
def _redoc() -> str:
    page = get_redoc_html(
        openapi_url=_beside(OPENAPI),
        title="mlops-core",
        redoc_js_url=_beside(f"{ASSETS}/redoc.standalone.js"),
        redoc_favicon_url=_beside(f"{ASSETS}/favicon.png"),
        with_google_fonts=False,
    )
    return bytes(page.body).decode()


def _beside(path: str) -> str:
    """Return `path` as a page beside it writes it: below whatever prefix a proxy shows us at."""
    return path.removeprefix("/")


@cache
def _static_files() -> StaticFiles:
    spec = find_spec("fastapi_offline")
    assert spec is not None and spec.submodule_search_locations is not None
    return StaticFiles(directory=Path(spec.submodule_search_locations[0]) / "static")

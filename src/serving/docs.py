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
from starlette.routing import BaseRoute, Route
from starlette.staticfiles import StaticFiles

from src.serving.security import security_headers

ASSETS = "/assets"
OPENAPI = "/openapi.json"
_FILES = ("favicon.png", "redoc.standalone.js", "swagger-ui-bundle.js", "swagger-ui.css")
_KEEP = security_headers("default-src 'none'; frame-ancestors 'none'") + [
    (b"cache-control", b"public, max-age=86400")
]


def docs_routes() -> list[BaseRoute]:
    """Return the pages and the files they need."""
    files = StaticFiles(directory=_static_folder())

    async def asset(request: Request) -> Response:
        request.scope["context"].security = _KEEP
        return await files.get_response(request.scope["path"].rpartition("/")[2], request.scope)

    return [
        Route("/docs", swagger, include_in_schema=False),
        Route("/redoc", redoc, include_in_schema=False),
        *(Route(f"{ASSETS}/{name}", asset, include_in_schema=False) for name in _FILES),
    ]


async def swagger(request: Request) -> Response:
    return _page(request, _swagger())


async def redoc(request: Request) -> Response:
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


def _static_folder() -> Path:
    spec = find_spec("fastapi_offline")
    assert spec is not None and spec.submodule_search_locations is not None
    return Path(spec.submodule_search_locations[0]) / "static"

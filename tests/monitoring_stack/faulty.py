"""Our app with a switch for faults: what `X-Fault` says happens to a request, and nothing else differs."""

import asyncio

from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send

from src.serving.factory import create_app


class Faults:
    """As far inside as can be, so that all of ours sees what comes of it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        fault = dict(scope.get("headers", ())).get(b"x-fault")
        if fault == b"error":
            raise RuntimeError("a fault that was asked for")
        if fault == b"slow":
            await asyncio.sleep(0.15)
        await self._app(scope, receive, send)


app = create_app()
app.user_middleware.insert(-1, Middleware(Faults))  # before what answers /predict

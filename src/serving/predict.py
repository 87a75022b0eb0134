"""`POST /predict`, the hot path: its steps in order, each of them as lean as it can be."""

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from src.serving.body import read_body, require_json
from src.serving.exchange import Exchange
from src.serving.state import Serving

BODY_SECONDS = 10.0  # how long a body may take


class Predict:
    """An ASGI endpoint, because FastAPI's way from the bytes to the answer takes longer than the answer."""

    def __init__(self, serving: Serving, body_seconds: float = BODY_SECONDS) -> None:
        self._serving = serving
        self._body_seconds = body_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        serving = self._serving
        exchange: Exchange = scope["exchange"]
        await serving.gate.admit(exchange)
        await serving.quotas.predict.take(exchange)
        served = serving.require_model()
        require_json(exchange)
        try:
            body = await read_body(exchange, receive, serving.settings.max_body_bytes, self._body_seconds)
        except ClientDisconnect:
            return
        row = served.read(body)
        # In the event loop: a thread would cost several times what the model takes.
        exchange.predicted, answer = served.answer(row)
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(answer))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

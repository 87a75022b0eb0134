"""`POST /predict`, the hot path, its steps in order and as lean as they can be; and many rows at once."""

import json
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from src.schema.features import Features
from src.serving.batches import in_batch_thread
from src.serving.body import BODY_SECONDS, read_body, require_json
from src.serving.endpoint import RequestBody
from src.serving.http.context import RequestContext
from src.serving.http.turns import require_patience
from src.serving.loaded_model import LoadedModel
from src.serving.problems import Problem
from src.serving.state import AppState

EXPLAIN = "explain"  # the parameter of the query
MOST_EXPLAINED = 100  # rows of a batch
MOST_WARNINGS = 100  # of one answer
UNSEEN = "Not seen in training, so the model ignores it."


class Predict:
    """An ASGI app, because FastAPI's way from the bytes to the answer takes longer than the answer.

    Its problems are 503, 415, 413, 408 and 422, in this order.
    """

    def __init__(self, state: AppState, body_seconds: float = BODY_SECONDS) -> None:
        self._state = state
        self._most_bytes = state.settings.max_body_bytes
        self._body_seconds = body_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        context: RequestContext = scope["context"]
        loaded = self._state.require_model()
        require_json(context)
        try:
            body = await read_body(context, receive, self._most_bytes, self._body_seconds)
        except ClientDisconnect:
            return
        require_patience(scope)  # it had to wait once more when the body came after the head
        explained = scope["query_string"] and wants_explanation(scope)
        row = loaded.read(body)
        # In the event loop: a thread would cost several times what the model takes.
        context.predicted, answer = loaded.answer(row)
        if loaded.has_categories and (unseen := loaded.unseen(row)):
            answer = _with_more(answer, warnings=[{"field": name, "detail": UNSEEN} for _, name in unseen])
        if explained:
            why = await in_batch_thread(self._state, loaded.explain, row)
            answer = _with_more(answer, explanation=why)
        await respond(send, answer)


class PredictBatch:
    """The same for `POST /predict/batch`: one call of the model for all rows."""

    def __init__(self, state: AppState, body_seconds: float = BODY_SECONDS) -> None:
        self._state = state
        self._most_bytes = state.settings.batch_max_body_bytes
        self._body_seconds = body_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        context: RequestContext = scope["context"]
        loaded = self._state.require_model()
        require_json(context)
        try:
            body = await read_body(context, receive, self._most_bytes, self._body_seconds)
        except ClientDisconnect:
            return
        require_patience(scope)
        explained = bool(scope["query_string"]) and wants_explanation(scope)
        answer = _explain_all if explained else _answer_all
        await respond(send, await in_batch_thread(self._state, answer, loaded, body))


def _answer_all(loaded: LoadedModel, body: bytes) -> bytes:
    return _warned(loaded, loaded.read_all(body))


def _warned(loaded: LoadedModel, features: Features) -> bytes:
    """Return the answer to a batch, with warnings where there is something to warn of."""
    answer = loaded.answer_all(features)
    if loaded.has_categories and (unseen := loaded.unseen(features)):
        warnings = [{"row": row, "field": name, "detail": UNSEEN} for row, name in unseen[:MOST_WARNINGS]]
        return _with_more(answer, warnings=warnings)
    return answer


def _with_more(answer: bytes, **more: Any) -> bytes:
    """Return `answer`, a JSON object, with further fields."""
    return b"%b,%b" % (answer[:-1], json.dumps(more, ensure_ascii=False, separators=(",", ":"))[1:].encode())


def _explain_all(loaded: LoadedModel, body: bytes) -> bytes:
    features = loaded.read_all(body)
    answer = json.loads(_warned(loaded, features))
    for place, one in enumerate(answer["predictions"][:MOST_EXPLAINED]):
        row = Features(features.numeric[place : place + 1], features.categorical[place : place + 1])
        one["explanation"] = loaded.explain(row)
    if len(answer["predictions"]) > MOST_EXPLAINED:
        detail = f"Only the first {MOST_EXPLAINED} rows are explained; send smaller batches."
        answer.setdefault("warnings", []).append({"row": MOST_EXPLAINED, "field": None, "detail": detail})
    return json.dumps(answer, ensure_ascii=False).encode()


def wants_explanation(scope: Scope) -> bool:
    """Return whether the query asks why; a Problem, 422, when it says neither yes nor no."""
    given = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True).get(EXPLAIN, ["false"])
    if given[-1] not in ("true", "false") or len(given) > 1:
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY, "validation", f"{EXPLAIN}: allowed are true and false."
        )
    return bool(given[-1] == "true")


def row_body(loaded: LoadedModel | None) -> RequestBody:
    """Return what `Predict` reads; any object, as long as no model says more."""
    if loaded is None:
        return RequestBody(dict[str, Any])
    return RequestBody(loaded.row_model, next(iter(_examples(loaded)), None))


def batch_body(loaded: LoadedModel | None) -> RequestBody:
    """Return what `PredictBatch` reads."""
    if loaded is None:
        return RequestBody(dict[str, list[dict[str, Any]]])
    examples = _examples(loaded)
    return RequestBody(loaded.batch_model, {"rows": examples} if examples else None)


def _examples(loaded: LoadedModel) -> list[dict[str, Any]]:
    bundle = loaded.bundle
    return [{name: row[name] for name in bundle.schema.names} for row in bundle.example.rows]


async def respond(send: Send, answer: bytes) -> None:
    """Send `answer`, JSON, with status 200."""
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(answer))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})

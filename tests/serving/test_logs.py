"""The server's log."""

import asyncio
import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from src.config import Settings
from src.serving import logs
from src.serving.logs import FLUSH_LINES, Clock, JsonFormatter, Lines, Predicted, RequestLog
from tests.serving.conftest import MakeClient

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def logging_restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers[:] = []
        logging.getLogger(name).propagate = True


def written(capsys: Captured) -> list[dict[str, Any]]:
    logs.lines.flush()
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_request_is_a_line(make_client: MakeClient, flower: dict[str, float], capsys: Captured) -> None:
    with make_client() as client:
        client.post("/predict", json=flower, headers={"X-Request-ID": "mine"})

    [line] = written(capsys)
    assert line.pop("time").endswith("Z")
    assert line.pop("duration_ms") > 0
    assert line == {
        "level": "INFO",
        "logger": "request",
        "request_id": "mine",
        "route": "/predict",
        "method": "POST",
        "status": 200,
        "client": "testclient",
        "predicted_class": "setosa",
    }


def test_a_line_names_the_trace_that_a_request_is_part_of(make_client: MakeClient, capsys: Captured) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    headers = {"traceparent": f"00-{trace}-b7ad6b7169203331-01"}
    with make_client() as client:
        refused = client.post("/predict", content=b"", headers=headers)
        client.get("/livez", headers={**headers, "X-Request-ID": "mine"})

    first, second = written(capsys)
    assert refused.headers["X-Request-ID"] == trace
    assert (first["request_id"], first["trace_id"], first["status"]) == (trace, trace, refused.status_code)
    assert (second["request_id"], second["trace_id"]) == ("mine", trace)


def test_a_caller_cannot_write_lines(make_client: MakeClient, capsys: Captured) -> None:
    with make_client(forwarded_allow_ips="127.0.0.1") as client:
        client._transport.client = ('"}\n{"level":"ERROR"', 0)  # type: ignore[attr-defined]
        client.request('GET"', '/x"%0a{"')

    [line] = written(capsys)
    assert (line["route"], line["method"], line["client"]) == ("unknown", "other", '"}\n{"level":"ERROR"')


def test_requests_are_not_logged_above_their_level(make_client: MakeClient, capsys: Captured) -> None:
    with make_client(log_level="WARNING") as client:
        client.get("/")

    assert written(capsys) == []


def test_a_person_gets_a_readable_line(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    settings = Settings()

    async def add() -> None:
        RequestLog(settings).add("id", "/predict", "POST", 200, 0.00123, "a", Predicted("setosa", ""))

    asyncio.run(add())
    logs.lines.flush()

    assert capsys.readouterr().out[8:] == " 200 POST /predict 1.23 ms setosa\n"
    assert "format" in logs.log_config(settings)["formatters"]["lines"]
    assert not logs.readable(
        Settings(environment="production", api_key="k" * 32, cors_origins="https://a.example")
    )


def test_lines_wait_for_each_other(capsys: Captured) -> None:
    lines = Lines()

    async def add() -> tuple[str, str]:
        for number in range(FLUSH_LINES - 1):
            lines.add(str(number))
        early = capsys.readouterr().out
        lines.add("last")
        return early, capsys.readouterr().out

    early, late = asyncio.run(add())

    assert early == ""
    assert late.splitlines() == [*map(str, range(FLUSH_LINES - 1)), "last"]


def test_lines_do_not_wait_for_long(capsys: Captured) -> None:
    async def add() -> None:
        Lines().add("one")
        await asyncio.sleep(2 * logs.FLUSH_SECONDS)

    asyncio.run(add())

    assert capsys.readouterr().out == "one\n"


def test_a_reader_who_has_gone_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone:
        def write(self, text: str) -> int:
            raise BrokenPipeError

    lines = Lines()
    monkeypatch.setattr(sys, "stdout", Gone())

    lines.write("x")
    lines.flush()


def test_records_are_json_with_their_traceback(capsys: Captured, logging_restored: None) -> None:
    logs.setup(Settings())

    try:
        raise ValueError("a\nb")
    except ValueError:
        logging.getLogger("uvicorn.error").exception("failed %s", '"x"', extra={"request_id": "r"})
    logging.getLogger("uvicorn.access").info("not this one")

    [line] = written(capsys)
    assert (line["level"], line["logger"], line["message"]) == ("ERROR", "uvicorn.error", 'failed "x"')
    assert line["request_id"] == "r"
    assert line["exception"].startswith("Traceback")


def test_a_record_without_more_has_no_more() -> None:
    record = logging.LogRecord("a", logging.INFO, "", 0, "hello", None, None)
    record.created = 0.5

    assert json.loads(JsonFormatter().format(record)) == {
        "time": "1970-01-01T00:00:00.500Z",
        "level": "INFO",
        "logger": "a",
        "message": "hello",
    }


def test_the_clock_goes_on() -> None:
    clock = Clock()

    assert [clock.text(now) for now in (0.0, 0.25, 1.0)] == [
        "1970-01-01T00:00:00.000Z",
        "1970-01-01T00:00:00.250Z",
        "1970-01-01T00:00:01.000Z",
    ]

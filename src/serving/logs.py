"""The server's log: one JSON object a line on stdout, or readable lines on a developer's terminal."""

import asyncio
import atexit
import json
import logging
import logging.config
import sys
import threading
import time
from contextlib import suppress
from functools import lru_cache
from typing import Any, NamedTuple

from src.config import Settings

FLUSH_SECONDS = 0.05
FLUSH_LINES = 256

_text = lru_cache(4096)(json.dumps)  # of client addresses: few, and met again and again


class Lines:
    """Gathers lines and writes them together: a system call for each request would slow all of them."""

    def __init__(self) -> None:
        self._waiting: list[str] = []
        self._lock = threading.Lock()

    def add(self, line: str) -> None:
        """Write `line` soon; for the event loop only."""
        with self._lock:
            self._waiting.append(line)
            count = len(self._waiting)
        if count == 1:
            asyncio.get_running_loop().call_later(FLUSH_SECONDS, self.flush)
        elif count >= FLUSH_LINES:
            self.flush()

    def flush(self) -> None:
        """Write the lines that wait, now."""
        with self._lock:
            waiting, self._waiting = self._waiting, []
            if waiting:
                # Who read the log has gone: that is no reason to stop serving.
                with suppress(OSError, ValueError):
                    print("\n".join(waiting), flush=True)

    def write(self, line: str) -> None:
        """Write `line` now, after those that wait."""
        with self._lock:
            self._waiting.append(line)
        self.flush()


lines = Lines()  # of this process
atexit.register(lines.flush)


class Clock:
    """The time of a line, ISO 8601 in UTC with milliseconds; its seconds are formatted once a second."""

    def __init__(self) -> None:
        self._second = (-1, "")

    def text(self, now: float) -> str:
        """Return `now`, in seconds since 1970, as text."""
        whole = int(now)
        second, text = self._second
        if second != whole:
            text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole))
            self._second = (whole, text)
        return f"{text}.{int((now - whole) * 1000):03d}Z"


class JsonFormatter(logging.Formatter):
    """A record as one JSON object."""

    def __init__(self) -> None:
        super().__init__()
        self._clock = Clock()

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": self._clock.text(record.created),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage().strip(),
        }
        if request_id := getattr(record, "request_id", None):
            line["request_id"] = request_id
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)


class LinesHandler(logging.Handler):
    """Writes records at once, in order with the lines of requests."""

    def emit(self, record: logging.LogRecord) -> None:
        lines.write(self.format(record))


class Predicted(NamedTuple):
    """What a line says of a prediction."""

    text: str  # to people
    member: str  # of a JSON object, after a comma


class RequestLog:
    """One line for each request; `readable` for people, else JSON."""

    def __init__(self, settings: Settings) -> None:
        self._on = settings.log_level in ("DEBUG", "INFO")
        self._readable = readable(settings)
        self._clock = Clock()

    def add(
        self,
        request_id: str,
        route: str,
        method: str,
        status: int,
        seconds: float,
        client: str,
        predicted: Predicted | None,
        trace_id: bytes | None = None,
    ) -> None:
        """Add a line; ids, `route` and `method` hold nothing that JSON would escape."""
        if not self._on:
            return
        now = self._clock.text(time.time())
        if self._readable:
            answer = "" if predicted is None else predicted.text
            lines.add(f"{now[11:19]} {status} {method} {route} {seconds * 1e3:.2f} ms {answer}")
            return
        said = "" if predicted is None else predicted.member
        if trace_id is not None:
            said += f', "trace_id": "{trace_id.decode()}"'
        lines.add(
            f'{{"time": "{now}", "level": "INFO", "logger": "request", "request_id": "{request_id}", '
            f'"route": "{route}", "method": "{method}", "status": {status}, '
            f'"duration_ms": {seconds * 1e3:.3f}, "client": {_text(client)}{said}}}'
        )


def readable(settings: Settings) -> bool:
    """Return whether a person reads the log."""
    return settings.environment == "development" and sys.stdout.isatty()


def log_config(settings: Settings) -> dict[str, Any]:
    """Return what `logging.config.dictConfig` and Uvicorn take."""
    plain = {"format": "%(asctime)s %(levelname)-7s %(message)s", "datefmt": "%H:%M:%S"}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": plain if readable(settings) else {"()": "src.serving.logs.JsonFormatter"}},
        "handlers": {"lines": {"class": "src.serving.logs.LinesHandler", "formatter": "lines"}},
        "root": {"level": settings.log_level, "handlers": ["lines"]},
        "loggers": {
            "uvicorn": {"level": settings.log_level, "handlers": [], "propagate": True},
            "uvicorn.error": {"level": settings.log_level, "handlers": [], "propagate": True},
            "uvicorn.access": {"level": "CRITICAL", "handlers": [], "propagate": False},
        },
    }


def setup(settings: Settings) -> None:
    """Let every logger of this process write as `settings` say."""
    logging.config.dictConfig(log_config(settings))

"""`python -m src.serving.healthcheck PORT`: is the server on this machine ready? For images without curl."""

import os
import sys
import time
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException

from src.errors import UsageError, exit_on_error

TIMEOUT_SECONDS = 2
EVERY_ADDRESS = ("0.0.0.0", "::")
LOOPBACK = ("127.0.0.1", "::1")


def ready(port: int) -> bool:
    """Return whether `/readyz` answers 200: there is a model, and nobody told the server to stop."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    for host in hosts():
        try:
            connection = HTTPConnection(host, port, timeout=max(deadline - time.monotonic(), 0.1))
            connection.connect()
        except (OSError, UnicodeError, HTTPException):  # not there: perhaps at the next
            continue
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()
    return False


def hosts() -> Iterator[str]:
    """Give where the server may listen: at the HOST it was told, or at any of this machine's own."""
    host = os.environ.get("HOST", "")
    if host and host not in EVERY_ADDRESS:
        yield host
    yield from LOOPBACK


def _port() -> int:
    match sys.argv[1:]:
        case ["-h" | "--help"]:  # without argparse: this runs every few seconds
            print(__doc__)
            sys.exit()
        case [text] if text.isascii() and text.isdigit() and 1 <= int(text) <= 65535:
            return int(text)
    raise UsageError("usage: python -m src.serving.healthcheck PORT, a number from 1 to 65535")


def main() -> None:
    sys.exit(not ready(_port()))


if __name__ == "__main__":
    exit_on_error(main)

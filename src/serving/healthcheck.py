"""`python -m src.serving.healthcheck PORT`: is the server on this machine ready? For images without curl."""

import sys
from http.client import HTTPConnection, HTTPException

TIMEOUT_SECONDS = 2


def ready(port: int) -> bool:
    """Return whether `/readyz` answers 200: there is a model, and nobody told the server to stop."""
    connection = HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def main() -> None:
    sys.exit(not ready(int(sys.argv[1])))


if __name__ == "__main__":
    main()

"""`python -m src.serving.healthcheck PORT`: is the server on this machine alive? For images without curl."""

import http.client
import sys


def main() -> None:
    connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=2)
    try:
        connection.request("GET", "/livez")
        alive = connection.getresponse().status == 200
    except OSError:
        alive = False
    sys.exit(0 if alive else 1)


if __name__ == "__main__":
    main()

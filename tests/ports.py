"""Ports for servers that are told theirs before they start."""

import os
import socket
from itertools import count

# Below the ports that a kernel gives to whoever asks for any; each of the processes that test has its own.
_FIRST, _EACH = 20_000, 1_000
_worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 12
_turns = count()


def free_port() -> int:
    """Return a port that nobody listens on, and that nobody is given until it is used."""
    while True:
        port = _FIRST + _worker * _EACH + (os.getpid() + next(_turns)) % _EACH
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port

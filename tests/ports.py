"""Ports for servers that are told theirs before they start."""

import fcntl
import os
import socket
import tempfile
from functools import cache
from itertools import count
from pathlib import Path

# Below the ports that a kernel gives to whoever asks for any; each process that tests begins elsewhere.
_FIRST, _EACH = 20_000, 1_000
_worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 12
_turns = count()


@cache
def _taken(_tester: int) -> int:
    """Return a file whose byte at a port is locked by the process that was given it, while that lives."""
    return os.open(Path(tempfile.gettempdir()) / f"mlops-core-ports-{os.getuid()}", os.O_RDWR | os.O_CREAT)


def free_port() -> int:
    """Return a port that nobody listens on, and that no other test of this machine is given."""
    while True:
        port = _FIRST + _worker * _EACH + (os.getpid() + next(_turns)) % _EACH
        try:
            fcntl.lockf(_taken(os.getpid()), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        return port

"""Servers that a test starts: in a process group of their own, waited for by condition, gone with the test.

Also when the test is killed: then a pipe to a keeper closes, and the keeper kills the groups that are left.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache, partial
from pathlib import Path

import httpx

PATIENCE = 180  # seconds for what takes two on a machine that is idle

# httpx itself gives up after five seconds, which a machine may well lose to another's load.
get = partial(httpx.get, timeout=PATIENCE)
post = partial(httpx.post, timeout=PATIENCE)
request = partial(httpx.request, timeout=PATIENCE)

# A line is a group that began, or one that ended with a minus before it; the last that we know of are killed.
_KEEPER = """
import os, signal, sys
groups = set()
for line in sys.stdin:
    group = int(line)
    (groups.add if group > 0 else groups.discard)(abs(group))
for group in groups:
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        pass
"""
# The group is known before its program runs, so that none starts unseen.
_ANNOUNCED = ["sh", "-c", 'echo $$ >&0 && exec "$@" </dev/null', "sh"]


@cache
def _pipe_to_keeper(_tester: int) -> int:
    """Return the end that closes with this process; a fork of it has a keeper of its own."""
    reading, writing = os.pipe()
    subprocess.Popen([sys.executable, "-S", "-c", _KEEPER], stdin=reading, start_new_session=True)
    os.close(reading)
    return writing


class Server:
    """A program that runs until the test ends, and what it says."""

    def __init__(
        self,
        command: Sequence[str | Path],
        folder: Path,
        log: Path,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Start `command` in `folder`; what it says is added to `log`."""
        self.log = log
        self._keeper = _pipe_to_keeper(os.getpid())
        with log.open("ab") as file:
            self.process = subprocess.Popen(
                [*_ANNOUNCED, *command],
                cwd=folder,
                env=environment,
                stdin=self._keeper,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_until(self, happened: Callable[[], bool], what: str, seconds: float = PATIENCE) -> None:
        """Return when `happened`; fail when the server ends before, or when it takes far too long."""
        deadline = time.monotonic() + seconds
        while not happened():
            assert (
                self.process.poll() is None
            ), f"ended with {self.process.returncode}:\n{self.log.read_text()}"
            assert time.monotonic() < deadline, f"not in {seconds:.0f} s: {what}\n{self.log.read_text()}"
            time.sleep(0.02)

    def end(self) -> None:
        """Kill the server and all it started."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.write(self._keeper, f"-{self.process.pid}\n".encode())


def answers(url: str, status: int = 200) -> bool:
    """Return whether `url` is answered with that status."""
    try:
        return httpx.get(url, timeout=5).status_code == status
    except httpx.TransportError:
        return False

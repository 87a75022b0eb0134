"""The transport of a connection: few writes, no endless wait for a reader, no reading ahead."""

import asyncio
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.http.flow_control import FlowControl

GATHER_BYTES = 64 * 1024
LINGER_SECONDS = 1.0
STALL_SECONDS = 15.0  # how long a caller may take to read what was written before it is cut off


class BufferedTransport:
    """Writes once what is written in one turn of the loop: each write is a system call."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._parts: list[bytes] = []
        self._stalled: asyncio.TimerHandle | None = None
        self.is_closing = transport.is_closing

    def write(self, data: bytes) -> None:
        if not self._parts:
            self._loop.call_soon(self._flush)
        self._parts.append(data)
        if len(data) > GATHER_BYTES:
            self._flush()

    def close(self) -> None:
        self._flush()
        self._transport.close()
        if self._transport.get_write_buffer_size():
            self.expect_a_reader()

    def finish(self) -> None:
        """Write no more, and close a little later: what arrives at a closed port takes the answer with it."""
        self._flush()
        self._transport.write_eof()
        self._loop.call_later(LINGER_SECONDS, self.close)

    def expect_a_reader(self) -> None:
        """Cut the connection off unless what was written is read in time."""
        if self._stalled is None:
            self._stalled = self._loop.call_later(STALL_SECONDS, self._transport.abort)

    def found_a_reader(self) -> None:
        """Do not cut the connection off: what was written is being read, or there is no connection."""
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def _flush(self) -> None:
        parts, self._parts = self._parts, []
        if parts:
            self._transport.write(b"".join(parts))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class Flow(FlowControl):
    """Uvicorn's, that reads on only when what was read before is being answered."""

    def __init__(self, transport: asyncio.Transport, is_behind: Callable[[], bool]) -> None:
        super().__init__(transport)
        self._is_behind = is_behind

    def resume_reading(self) -> None:
        if self.read_paused and not self._is_behind():
            super().resume_reading()

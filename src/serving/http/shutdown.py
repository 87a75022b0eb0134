"""Closing an open port without losing who stands in front of it."""

import asyncio
import ctypes
import os
import socket
import struct
import sys
from contextlib import suppress
from functools import partial
from typing import Any

from uvicorn import Server

HANDSHAKE_SECONDS = 0.2  # for connections that were begun before the port closed
SO_ATTACH_FILTER = 26  # Linux, on every machine that Python's wheels are made for
# A program for the kernel's packet filter, which sees TCP segments: drop a SYN without ACK, let the rest in.
ONLY_WHO_IS_KNOWN = b"".join(
    struct.pack("HBBI", *instruction)
    for instruction in (
        (0x30, 0, 0, 13),  # load the byte of flags
        (0x54, 0, 0, 0x12),  # of it SYN and ACK
        (0x15, 0, 1, 0x02),  # SYN alone: go on, else skip one
        (0x06, 0, 0, 0),  # drop
        (0x06, 0, 0, 0xFFFFFFFF),  # let in
    )
)


async def close_listeners(server: Server) -> None:
    """Listen no longer, and let in the connections that the kernel has accepted in our name.

    Between the last look into the queue and the end of the port a caller could still get in, and would
    be lost; so would the queue of a port that another worker, not ready yet, keeps open. So first no new
    connection is begun (Linux; elsewhere that gap of microseconds remains): who tries is refused by
    the next attempt of its own kernel, a second later.
    """
    running = getattr(server, "servers", [])  # none while it starts
    listeners = [
        socket.socket(fileno=os.dup(listener.fileno())) for each in running for listener in each.sockets
    ]
    if not listeners:
        return
    if all([_begin_no_more(listener) for listener in listeners]):
        await asyncio.sleep(HANDSHAKE_SECONDS)
    for listening in running:
        listening.close()
    await asyncio.sleep(0)  # from here on nobody but us accepts
    for connection in [connection for listener in listeners for connection in _waiting(listener)]:
        with suppress(OSError):  # it has gone again
            await asyncio.get_running_loop().connect_accepted_socket(partial(_protocol, server), connection)


def _protocol(server: Server) -> asyncio.Protocol:
    protocol: Any = server.config.http_protocol_class
    made: asyncio.Protocol = protocol(server.config, server.server_state, server.lifespan.state)
    return made


def _begin_no_more(listener: socket.socket) -> bool:
    """Let no new connection be begun; False where the kernel has no such filter."""
    if sys.platform != "linux":
        return False
    program = ctypes.create_string_buffer(ONLY_WHO_IS_KNOWN, len(ONLY_WHO_IS_KNOWN))
    described = struct.pack("HP", len(ONLY_WHO_IS_KNOWN) // 8, ctypes.addressof(program))
    try:
        listener.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, described)
    except OSError:  # a sandbox
        return False
    return True


def _waiting(listener: socket.socket) -> list[socket.socket]:
    """Return the connections in the queue of `door`, which is closed then."""
    found = []
    with listener, suppress(BlockingIOError):
        listener.setblocking(False)
        while True:
            connection, _ = listener.accept()
            connection.setblocking(False)
            found.append(connection)
    return found

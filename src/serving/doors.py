"""Closing an open port without losing who stands in front of it."""

import asyncio
import os
import socket
from contextlib import suppress
from functools import partial
from typing import Any

from uvicorn import Server


async def close_doors(server: Server) -> None:
    """Listen no longer, and let in the connections that the kernel has accepted in our name."""
    doors: list[socket.socket] = []
    for listening in getattr(server, "servers", []):  # none while it starts
        doors += [socket.socket(fileno=os.dup(door.fileno())) for door in listening.sockets]
        listening.close()
    await asyncio.sleep(0)  # from here on nobody but us accepts
    for connection in [connection for door in doors for connection in _waiting(door)]:
        with suppress(OSError):  # it has gone again
            await asyncio.get_running_loop().connect_accepted_socket(partial(_protocol, server), connection)


def _protocol(server: Server) -> asyncio.Protocol:
    protocol: Any = server.config.http_protocol_class
    made: asyncio.Protocol = protocol(server.config, server.server_state, server.lifespan.state)
    return made


def _waiting(door: socket.socket) -> list[socket.socket]:
    """Return the connections in the queue of `door`, which is closed then."""
    found = []
    with door, suppress(BlockingIOError):
        door.setblocking(False)
        while True:
            connection, _ = door.accept()
            connection.setblocking(False)
            found.append(connection)
    return found

"""Where the server listens, and where its callers are: IPv4, IPv6, or both on one port."""

import asyncio
import errno
import ipaddress
import os
import socket

from src.serving.http import protocol

BACKLOG = 2048
ACCEPTED_AT_ONCE = 16  # connections a turn of the event loop
_MAPPED = "::ffff:"  # an IPv4 address on a socket of both families


def open_socket(host: str, port: int) -> socket.socket:
    """Return a socket that listens on `host`, an address or a name; `::` is every address of both families.

    Raises:
        OSError: the address is not ours or not free, or of a family that this machine does not have.
    """
    family = _family(host)
    both = family == socket.AF_INET6 and _is_every_address(host)
    if both and not socket.has_dualstack_ipv6():
        raise OSError(errno.EAFNOSUPPORT, os.strerror(errno.EAFNOSUPPORT))
    return socket.create_server((host, port), family=family, backlog=BACKLOG, dualstack_ipv6=both)


def acceptors(listener: socket.socket) -> list[socket.socket]:
    """Return `listener` and duplicates of it, for the same queue.

    The event loop accepts one connection a turn from each: with one alone, whoever connects to a busy
    server, a probe for instance, waits for as many turns as others connected before.

    Whether a call on them blocks is one flag of that queue, which other workers share: a duplicate made
    while it is off here would let them wait in `accept` for a connection that another took.
    """
    listener.setblocking(False)
    return [listener, *(listener.dup() for _ in range(ACCEPTED_AT_ONCE - 1))]


def _family(host: str) -> socket.AddressFamily:
    """Return the family of `host`; a name that has addresses of both is IPv4, as it always was."""
    if ":" in host:
        return socket.AF_INET6
    found = {family for family, *_ in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    return socket.AF_INET6 if found == {socket.AF_INET6} else socket.AF_INET


def _is_every_address(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:  # a name, or brackets
        return False


class Protocol(protocol.Protocol):
    """One connection; an IPv4 caller has its IPv4 address, on a socket of both families, too.

    So a proxy is trusted, and a client counted, by the same address whatever HOST is.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if self.client is not None and self.client[0].startswith(_MAPPED):
            self.client = (self.client[0].removeprefix(_MAPPED), self.client[1])

"""One request and its answer, as limits, log and metrics see it."""

import random
import re
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Network, ip_address

from starlette.types import Message, Scope, Send

from src.serving.logs import Predicted
from src.serving.security import STRICT, RawHeaders

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,128}").fullmatch
# W3C Trace Context: version 00 has 55 characters, those to come may have more, and ff is none.
_TRACE_PARENT = re.compile(
    rb"(?!ff|00.{54})[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?"
).fullmatch

LONGEST_ADDRESS = 64  # with room for what is none: it is not worth remembering


class RequestContext:
    """What is known of a request while it is answered; `scope["context"]`."""

    __slots__ = (
        "headers",
        "_raw_headers",
        "route",
        "trace_id",
        "request_id",
        "address",
        "client",
        "status",
        "error",
        "predicted",
        "is_whole",
        "security",
        "added",
        "_send",
    )

    def __init__(self, scope: Scope, send: Send, route: str, trusts_proxies: bool) -> None:
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        self._raw_headers = scope["headers"]
        self.route = route
        self.trace_id = _trace_id(self.headers)
        self.request_id = _request_id(self.headers) or self.trace_id or _new_id()
        self.address = _address(scope, self.headers, trusts_proxies)
        self.client = self.address  # until a key names the caller
        self.status = 499  # until an answer starts: the caller left
        self.error: str | None = None  # the kind of problem that was answered
        self.is_whole: bool = scope.get("state", {}).get("whole", False)  # the body came with the head
        self.predicted: Predicted | None = None
        self.security: RawHeaders = STRICT
        self.added: RawHeaders = []  # headers of this answer alone
        self._send = send

    def repeats(self, name: bytes) -> bool:
        """Return whether the header `name` came more than once."""
        if len(self.headers) == len(self._raw_headers):
            return False
        return [header for header, _ in self._raw_headers].count(name) > 1

    async def send(self, message: Message) -> None:
        """Send `message`; the start of a response gets the headers that every response has."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [
                *message["headers"],
                *self.security,
                *self.added,
                (b"x-request-id", self.request_id),
            ]
        await self._send(message)


def _trace_id(headers: dict[bytes, bytes]) -> bytes | None:
    given = headers.get(b"traceparent")
    match = None if given is None else _TRACE_PARENT(given)
    return None if match is None else match[1]


def _request_id(headers: dict[bytes, bytes]) -> bytes | None:
    given = headers.get(b"x-request-id")
    return given if given is not None and _REQUEST_ID(given) else None


def _new_id() -> bytes:
    return b"%032x" % random.getrandbits(128)  # tells requests apart, and guards nothing


def _address(scope: Scope, headers: dict[bytes, bytes], trusts_proxies: bool) -> str:
    """Return the name of the address that counts as the caller's."""
    if scope["client"] is None:
        return "unknown"
    host, port = scope["client"]
    if b"x-forwarded-for" not in headers:
        return named(host) or host  # a test's is none
    peer: str = scope.get("state", {}).get("peer") or ""
    if trusts_proxies:
        # Uvicorn takes what a trusted proxy says, even if it is no address.
        return named(host[:LONGEST_ADDRESS]) or named(peer) or "unknown"
    if peer:
        return named(peer) or peer
    # Started as plain `uvicorn`, Uvicorn believes what loopback forwards, although no proxy was named.
    # Then the address is the header's, and its port is the header's too, or 0.
    given = b",".join(value for name, value in scope["headers"] if name == b"x-forwarded-for").decode(
        "latin-1"
    )
    if host in given and (port == 0 or f":{port}" in given):
        return "127.0.0.1"
    return named(host) or host


@lru_cache(4096)
def named(host: str) -> str | None:
    """Return the name that an address counts under, or None when `host` is no address.

    Who has one address of an IPv6 network usually has all 2^64 of them, so the network is named.
    """
    try:
        address = ip_address(host)
    except ValueError:
        return None
    if isinstance(address, IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(IPv6Network((int(address), 64), strict=False))

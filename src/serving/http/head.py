"""The head of a request: whether it says in one way only who is asked and where its body ends.

What two servers read in two ways can be used to smuggle a request past one of them. The parser
refuses most of it; what it lets pass and what it leaves to us is here.
"""

import re
from collections.abc import Sequence

import httptools

from src.serving.http import refusals

HEAD_BYTES = 64 * 1024
HEAD_FIELDS = 256  # each takes more memory than it has bytes
HEEDED = frozenset({b"host", b"transfer-encoding"})

_HOST = re.compile(rb"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~%!$&'()*+,;=-]*)(:[0-9]*)?").fullmatch

Fields = Sequence[tuple[bytes, bytes]]


def require_sound(method: bytes, version: str, heeded: Fields) -> None:
    """Raise a Problem unless the fields that are HEEDED are sound.

    Raises:
        Problem: 400; 405 for CONNECT, after which no more HTTP would come.
    """
    if len(heeded) == 1 and heeded[0][0] == b"host" and version == "1.1" and method != b"CONNECT":
        if _HOST(heeded[0][1]):  # as nearly always
            return
    if method == b"CONNECT":
        raise refusals.no_proxy()
    if version not in ("1.1", "1.0"):
        raise refusals.bad_request("Speak HTTP/1.1.")
    hosts = [value for name, value in heeded if name == b"host"]
    if len(hosts) > 1 or not (hosts or version == "1.0"):
        raise refusals.bad_request("Send one Host.")
    if hosts and not _HOST(hosts[0]):
        raise refusals.bad_request("Send a Host that is a name or an address.")
    codings = [value.lower() for name, value in heeded if name == b"transfer-encoding"]
    if codings and (codings != [b"chunked"] or version == "1.0"):
        raise refusals.bad_request("Send the body as it is or, in HTTP/1.1, with Transfer-Encoding: chunked.")


def require_small(method: bytes, url: bytes, headers: Fields) -> None:
    """Raise a Problem, 431, when the head is larger than HEAD_BYTES, or has more than HEAD_FIELDS."""
    size = len(method) + len(url) + len("  HTTP/1.1\r\n\r\n")
    size += sum(len(name) + len(value) + len(": \r\n") for name, value in headers)
    if size > HEAD_BYTES or len(headers) > HEAD_FIELDS:
        raise refusals.too_large()


def without_upgrade(parser: httptools.HttpRequestParser, url: bytes, headers: Fields) -> bytes:
    """Return the head that `parser` has parsed, less its wish for another protocol."""
    lines = [b"%b %b HTTP/%b" % (parser.get_method(), url, parser.get_http_version().encode())]
    lines += [b"%b: %b" % header for header in headers if header[0] != b"upgrade"]
    return b"\r\n".join(lines) + b"\r\n\r\n"

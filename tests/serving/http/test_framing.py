"""Where a request ends: the same for everybody, whatever its head wishes for."""

import pytest

from tests.serving.connections import Echo, statuses, talk

CLOSE = b"GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n"


def post(fields: bytes, body: bytes = b"hello", method: bytes = b"POST", version: bytes = b"1.1") -> bytes:
    length = b"Content-Length: %d\r\n\r\n" % len(body)
    return method + b" /first HTTP/" + version + b"\r\nHost: a\r\n" + fields + length + body


UPGRADES = {
    "java": b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAAB\r\n",
    "websocket": b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n",
    "anything": b"Upgrade: a/1, b\r\nConnection: keep-alive, upgrade\r\n",
    "twice": b"Upgrade: a\r\nUpgrade: b\r\nConnection: upgrade\r\nConnection: upgrade\r\n",
    "upgrade without connection": b"Upgrade: h2c\r\n",
    "connection without upgrade": b"Connection: Upgrade\r\n",
}


@pytest.mark.parametrize("upgrade", UPGRADES)
@pytest.mark.parametrize("method", [b"POST", b"PUT", b"PATCH", b"GET", b"DELETE", b"OPTIONS"])
@pytest.mark.parametrize("packets", ["one", "head and body", "bytes"])
def test_a_wish_for_another_protocol_changes_nothing(method: bytes, upgrade: str, packets: str) -> None:
    sent = post(UPGRADES[upgrade], method=method) + CLOSE
    at = sent.index(b"hello")
    parts = {"one": [sent], "head and body": [sent[:at], sent[at:]], "bytes": [sent[:-1], sent[-1:]]}[packets]
    if packets == "bytes":
        parts = [sent[:at][number : number + 40] for number in range(0, at, 40)] + [sent[at:]]
    echo = Echo()

    received = talk(echo, *parts)

    assert statuses(received) == [200, 200]
    assert echo.asked == [(method.decode(), "/first", b"hello"), ("GET", "/last", b"")]


def test_chunks_are_read_where_an_upgrade_is_offered() -> None:
    echo = Echo()

    received = talk(
        echo, b"POST /first HTTP/1.1\r\nHost: a\r\n" + UPGRADES["java"] + CHUNKED + b"\r\n" + CLOSE
    )

    assert statuses(received) == [200, 200]
    assert echo.asked == [("POST", "/first", b"hello"), ("GET", "/last", b"")]


def test_many_upgrades_in_one_packet_are_requests_like_others() -> None:
    echo = Echo()

    received = talk(echo, post(UPGRADES["java"]) * 50 + CLOSE)

    assert statuses(received) == [200] * 51
    assert echo.asked == [("POST", "/first", b"hello")] * 50 + [("GET", "/last", b"")]


@pytest.mark.parametrize("upgrade", [b"", UPGRADES["java"]])
def test_who_expects_100_continue_gets_it(upgrade: bytes) -> None:
    sent = post(b"Expect: 100-continue\r\n" + upgrade)
    at = sent.index(b"hello")

    received = talk(Echo(), sent[:at], sent[at:] + CLOSE)

    assert statuses(received) == [100, 200, 200]


def test_http_1_0_expects_no_100_continue() -> None:
    sent = post(b"Expect: 100-continue\r\n", version=b"1.0")

    assert statuses(talk(Echo(), sent)) == [200]


@pytest.mark.parametrize("upgrade", [b"", UPGRADES["java"]])
@pytest.mark.parametrize("split", [False, True])
def test_trailers_are_dropped(upgrade: bytes, split: bool) -> None:
    head = b"POST /first HTTP/1.1\r\nHost: a\r\n" + upgrade
    trailers = (
        b"X-API-Key: key\r\nX-Forwarded-For: 1.2.3.4\r\nHost: b\r\nExpect: 100-continue\r\n"
        b"Connection: upgrade\r\nUpgrade: h2c\r\n\r\n"
    )
    echo = Echo()

    received = talk(echo, *([head + CHUNKED, trailers] if split else [head + CHUNKED + trailers]), CLOSE)

    assert statuses(received) == [200, 200]
    assert b"x-api-key" not in dict(echo.headers[0])
    assert b"x-forwarded-for" not in dict(echo.headers[0])
    assert dict(echo.headers[0])[b"host"] == b"a"


TWO_WAYS = {
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
    "two hosts in HTTP/1.0": b"GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n",
    "a list of hosts": b"GET / HTTP/1.1\r\nHost: a, b/\r\n\r\n",
    "a host with a path": b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
    "a host with a user": b"GET / HTTP/1.1\r\nHost: a@b\r\n\r\n",
    "a host with a space": b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
    "chunked, identity": b"POST / HTTP/1.1\r\nHost: a\r\n"
    b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "gzip, chunked": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunked twice": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked, chunked": b"POST / HTTP/1.1\r\nHost: a\r\n"
    b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "xchunked": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "identity": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n",
    "quoted": b'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n',
    "empty": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n\r\n0\r\n\r\n",
    "a space before the colon": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "a folded line": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    "chunks in HTTP/1.0": b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks and an upgrade": b"POST / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: h2c\r\n"
    b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "length and chunks": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks and length": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
    b"Content-Length: 5\r\n\r\n0\r\n\r\n",
    "two lengths": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n",
    "a list of lengths": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0, 0\r\n\r\n",
    "a signed length": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +0\r\n\r\n",
    "a line without a carriage return": b"GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n",
    "HTTP/2.0": b"GET / HTTP/2.0\r\nHost: a\r\n\r\n",
    "HTTP/0.9": b"GET / HTTP/0.9\r\nHost: a\r\n\r\n",
}


@pytest.mark.parametrize("name", TWO_WAYS)
def test_what_can_be_read_in_two_ways_is_refused(name: str) -> None:
    echo = Echo()

    received = talk(echo, TWO_WAYS[name] + CLOSE)

    assert statuses(received) == [400]
    assert echo.asked == []


@pytest.mark.parametrize("host", [b"", b"a", b"a_b.c:80", b"[::1]:8000", b"127.0.0.1:8000", b"%41"])
def test_any_name_or_address_is_a_host(host: bytes) -> None:
    assert statuses(talk(Echo(), b"GET / HTTP/1.1\r\nHost: " + host + b"\r\nConnection: close\r\n\r\n")) == [
        200
    ]


def test_http_1_0_needs_no_host() -> None:
    assert statuses(talk(Echo(), b"GET / HTTP/1.0\r\n\r\n")) == [200]


@pytest.mark.parametrize("fields", [b"", b"Content-Length: 5\r\n", UPGRADES["java"]])
def test_nothing_comes_after_connect(fields: bytes) -> None:
    echo = Echo()

    received = talk(echo, b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n" + fields + b"\r\n" + CLOSE)

    assert statuses(received) == [405]
    assert echo.asked == []


@pytest.mark.parametrize(
    "bad", [b"\x00\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", post(b"", b"")[:-4] + b"Content-Length: 0\r\n\r\n"]
)
def test_requests_before_a_bad_one_are_answered_first(bad: bytes) -> None:
    echo = Echo()

    received = talk(echo, post(b"") * 3 + bad + CLOSE)

    assert statuses(received) == [200, 200, 200, 400]
    assert len(echo.asked) == 3


def test_a_request_whose_chunks_break_is_no_request() -> None:
    echo = Echo()
    broken = b"POST /broken HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"

    assert statuses(talk(echo, broken)) == [400]
    assert statuses(talk(echo, post(b"") + post(b"") + broken + CLOSE)) == [200, 200, 400]
    assert [path for _, path, _ in echo.asked] == ["/first", "/first"]

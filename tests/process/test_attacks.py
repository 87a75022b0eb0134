"""Raw bytes an attacker may send: none of them makes the server fail, whoever sends them."""

import json
import re
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.process.conftest import KEY, Server

FLOWER = {"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}
GOOD = json.dumps(FLOWER).encode()


def field(value: bytes) -> bytes:
    """Return a row whose first value is written as `value`."""
    return b'{"sepal_length":' + value + b',"sepal_width":3.5,"petal_length":1.4,"petal_width":0.2}'


BODIES: dict[str, bytes] = {
    "empty": b"",
    "white space": b" \n\t ",
    "null": b"null",
    "true": b"true",
    "number": b"5.1",
    "text": b'"setosa"',
    "array": b"[5.1,3.5,1.4,0.2]",
    "array of rows": b"[" + GOOD + b"]",
    "empty object": b"{}",
    "unclosed": GOOD[:-1],
    "trailing comma": GOOD[:-1] + b",}",
    "trailing text": GOOD + b"x",
    "two documents": GOOD + GOOD,
    "single quotes": GOOD.replace(b'"', b"'"),
    "comment": b"/* x */" + GOOD,
    "byte order mark": b"\xef\xbb\xbf" + GOOD,
    "utf-16": GOOD.decode().encode("utf-16"),
    "invalid utf-8": b'{"\xff\xfe":1}',
    "overlong utf-8": b'{"\xc0\xaf":1}',
    "nul bytes": b"\x00" * 64,
    "nul in a name": GOOD.replace(b"sepal_length", b"sepal\\u0000length"),
    "lone surrogate in a name": b'{"\\ud800":1}',
    "lone surrogate as a value": field(b'"\\udfff"'),
    "NaN": field(b"NaN"),
    "Infinity": field(b"Infinity"),
    "-Infinity": field(b"-Infinity"),
    "1e999": field(b"1e999"),
    "-1e999": field(b"-1e999"),
    "1e-999": field(b"1e-999"),
    "integer of 10,000 digits": field(b"9" * 10_000),
    "fraction of 10,000 digits": field(b"5." + b"1" * 10_000),
    "exponent of 1,000 digits": field(b"1e" + b"9" * 1_000),
    "hexadecimal": field(b"0x10"),
    "leading zero": field(b"05.1"),
    "leading plus": field(b"+5.1"),
    "minus zero": field(b"-0.0"),
    "boolean": field(b"true"),
    "null value": field(b"null"),
    "number as text": field(b'"5.1"'),
    "array value": field(b"[5.1]"),
    "object value": field(b'{"$gt":0}'),
    "below its range": field(b"-1"),
    "above its range": field(b"1e300"),
    "duplicate field": GOOD[:-1] + b',"sepal_length":5.1}',
    "duplicate field, escaped": GOOD[:-1] + b',"sepal\\u005flength":5.1}',
    "extra field": GOOD[:-1] + b',"colour":"red"}',
    "prototype": GOOD[:-1] + b',"__proto__":{"a":1}}',
    "class": GOOD[:-1] + b',"__class__":"os.system"}',
    "missing field": b'{"sepal_length":5.1}',
    "deep arrays": b"[" * 30_000,
    "deep objects": b'{"a":' * 10_000,
    "deep value": field(b"[" * 20_000 + b"]" * 20_000),
    "many fields": b"{" + b",".join(b'"f%d":1' % number for number in range(5_000)) + b"}",
    "long name": b'{"' + b"a" * 60_000 + b'":1}',
    "pickle": b"\x80\x04\x95\x1f\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94\x8c\x06system\x94\x93\x94.",
    "yaml": b"!!python/object/apply:os.system ['id']",
    "xml": b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
    "form": b"sepal_length=5.1&sepal_width=3.5",
    "sql": field(b'"\'; DROP TABLE flowers; --"'),
    "template": field(b'"${jndi:ldap://127.0.0.1/a}"'),
    "log injection": field(b'"\\r\\n{\\"level\\":\\"INFO\\"}"'),
    "gzip bytes": b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03",
    "larger than allowed": b'{"sepal_length":' + b" " * 70_000 + b"5.1}",
}
HEADERS: dict[str, bytes] = {
    "no content type": b"",
    "two content types": b"Content-Type: application/json\r\nContent-Type: text/plain\r\n",
    "content type of 8,000 bytes": b"Content-Type: application/json; a=" + b"x" * 8_000 + b"\r\n",
    "charset": b"Content-Type: application/json; charset=utf-7\r\n",
    "content encoding": b"Content-Type: application/json\r\nContent-Encoding: gzip\r\n",
    "expect": b"Content-Type: application/json\r\nExpect: 100-continue\r\n",
    "bytes beyond ascii": b"Content-Type: application/json\r\nX-Request-ID: \xff\xfe\r\n",
    "request id with markup": b"Content-Type: application/json\r\nX-Request-ID: <script>\r\n",
    "broken traceparent": b"Content-Type: application/json\r\ntraceparent: 00-zz-zz-zz\r\n",
    "forwarded nonsense": b"Content-Type: application/json\r\nX-Forwarded-For: ' OR 1=1, \xff, ::::\r\n",
    "two keys": b"Content-Type: application/json\r\nX-API-Key: a\r\nX-API-Key: b\r\n",
    "range": b"Content-Type: application/json\r\nRange: bytes=0-18446744073709551615\r\n",
    "override": b"Content-Type: application/json\r\nX-HTTP-Method-Override: DELETE\r\n",
    "upgrade": b"Content-Type: application/json\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n",
    "upgrade to http/2": b"Content-Type: application/json\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n",
}
RAW: dict[str, bytes] = {
    "not http": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 40,
    "http/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "unknown method": b"BREW /predict HTTP/1.1\r\nHost: a\r\n\r\n",
    "no version": b"POST /predict\r\n\r\n",
    "version 9": b"POST /predict HTTP/9.9\r\nHost: a\r\n\r\n",
    "no host": b"GET /health HTTP/1.1\r\n\r\n",
    "path of 70,000 bytes": b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    "path above the root": b"GET /../../../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n",
    "path above the root, escaped": b"GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n",
    "path of bytes": b"GET /%ff%fe%00 HTTP/1.1\r\nHost: a\r\n\r\n",
    "absolute path": b"GET http://127.0.0.1/health HTTP/1.1\r\nHost: a\r\n\r\n",
    "header split": b"GET /health%0d%0aSet-Cookie:a=b HTTP/1.1\r\nHost: a\r\n\r\n",
    "header without colon": b"GET /health HTTP/1.1\r\nHost a\r\n\r\n",
    "5,000 headers": b"GET /health HTTP/1.1\r\nHost: a\r\n" + b"a: b\r\n" * 5_000 + b"\r\n",
    "negative length": b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
    "length of 100 digits": b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: "
    + b"9" * 100
    + b"\r\n\r\n",
    "two lengths": b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "length and chunks": b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /health HTTP/1.1\r\nHost: a\r\n\r\n",
    "broken chunk": b"POST /predict HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
    "huge chunk": b"POST /predict HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
}
SENDERS: dict[str, bytes] = {
    "no key": b"",
    "bad key": b"X-API-Key: wrong\r\n",
    "good key": b"X-API-Key: " + KEY.encode() + b"\r\n",
}


def requests() -> list[tuple[str, bytes]]:
    """Return every payload as it goes over the wire, with `{key}` where a sender puts a header."""
    head = b"POST /predict HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{key}"
    found = []
    for name, body in BODIES.items():
        length = b"Content-Length: %d\r\n" % len(body)
        found.append((name, head + b"Content-Type: application/json\r\n" + length + b"\r\n" + body))
    for name, headers in HEADERS.items():
        length = b"Content-Length: %d\r\n" % len(GOOD)
        found.append((name, head + headers + length + b"\r\n" + GOOD))
    for name, raw in RAW.items():
        first, _, rest = raw.partition(b"\r\n")
        found.append((name, first + b"\r\n{key}" + rest))
    return found


def exchange(port: int, sent: bytes) -> bytes:
    """Send bytes and return all that comes back, until the server closes or is silent."""
    received = b""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        try:
            connection.sendall(sent)
            connection.settimeout(0.5)
            while chunk := connection.recv(65536):
                received += chunk
        except OSError:  # closed on us, or silent: what came so far is the answer
            pass
    return received


def statuses(received: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"^HTTP/1\.[01] (\d{3})", received, flags=re.MULTILINE)]


@pytest.fixture
def server(start_server: Callable[..., Server], model_dir: Path) -> Server:
    never = "1000000000/minute"
    server = start_server(
        API_KEY=KEY, MODEL_DIR=str(model_dir), RATE_LIMIT_PREDICT=never, RATE_LIMIT_WRONG_KEY=never
    )
    server.wait_for("/readyz", 200)
    return server


def test_there_are_payloads_enough() -> None:
    assert len(requests()) >= 60
    assert len({sent for _, sent in requests()}) == len(requests())


@pytest.mark.parametrize("sender", list(SENDERS))
def test_no_payload_makes_the_server_fail(server: Server, sender: str) -> None:
    failed = []
    for name, sent in requests():
        received = exchange(server.port, sent.replace(b"{key}", SENDERS[sender]))
        if any(status >= 500 for status in statuses(received)):
            failed.append((name, received[:200]))

    assert failed == []
    assert server.predict(GOOD).json()["prediction"] == "setosa"
    assert "Traceback" not in server.log()


# Numbers like any other, however they are written.
ALLOWED = {"fraction of 10,000 digits": 200, "larger than allowed": 413}
# To Python they are JSON.
ALLOWED |= dict.fromkeys(
    ("lone surrogate in a name", "lone surrogate as a value", "integer of 10,000 digits"), 400
)


def is_json(body: bytes) -> bool:
    """Return whether `body` is JSON as the server reads it: in UTF-8, of no endless depth."""
    try:
        json.loads(body.decode(), parse_int=str)
    except (ValueError, RecursionError):
        return False
    return True


def test_a_bad_body_gets_its_status_and_is_never_echoed(server: Server) -> None:
    got = {}
    for name, body in BODIES.items():
        response = server.predict(body)
        got[name] = response.status_code
        assert "DROP TABLE" not in response.text
        assert "jndi" not in response.text

    wanted = {name: ALLOWED.get(name, 422 if is_json(body) else 400) for name, body in BODIES.items()}
    assert got == wanted


def test_without_the_key_no_body_is_read(server: Server) -> None:
    got = {server.predict(body, **{"X-API-Key": "wrong"}).status_code for body in BODIES.values()}

    assert got == {403}

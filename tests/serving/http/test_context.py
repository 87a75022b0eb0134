"""What is known of a request: its id and where it comes from."""

import pytest

from src.serving.http.context import RequestContext

TRACE = b"0af7651916cd43dd8448eb211c80319c"


async def send(message: object) -> None:
    pass


def context(
    headers: list[tuple[bytes, bytes]],
    client: tuple[str, int] | None = ("10.0.0.1", 5),
    trusts: bool = False,
    peer: str | None = None,
) -> RequestContext:
    scope = {"type": "http", "headers": headers, "client": client, "state": {"peer": peer}}
    return RequestContext(scope, send, "/", trusts)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([(b"x-request-id", b"abc.DEF_1-2")], b"abc.DEF_1-2"),
        ([(b"x-request-id", b"a" * 128)], b"a" * 128),
        ([(b"traceparent", b"00-" + TRACE + b"-b7ad6b7169203331-01")], TRACE),
        ([(b"traceparent", b"cc-" + TRACE + b"-b7ad6b7169203331-01-more")], TRACE),
        ([(b"x-request-id", b"<>"), (b"traceparent", b"00-" + TRACE + b"-b7ad6b7169203331-01")], TRACE),
    ],
)
def test_a_sane_id_is_taken(headers: list[tuple[bytes, bytes]], expected: bytes) -> None:
    assert context(headers).request_id == expected


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(b"x-request-id", b"")],
        [(b"x-request-id", b"a" * 129)],
        [(b"x-request-id", b'a"b')],
        [(b"x-request-id", b"a\n")],
        [(b"traceparent", b"00-" + b"0" * 32 + b"-b7ad6b7169203331-01")],
        [(b"traceparent", b"00-" + TRACE + b"-0000000000000000-01")],
        [(b"traceparent", b"00-zz-zz-zz")],
        [(b"traceparent", b"00-" + TRACE.upper() + b"-b7ad6b7169203331-01")],
        [(b"traceparent", b"00-" + TRACE + b"-b7ad6b7169203331-01-more")],
        [(b"traceparent", b"cc-" + TRACE + b"-b7ad6b7169203331-01more")],
        [(b"traceparent", b"ff-" + TRACE + b"-b7ad6b7169203331-01")],
    ],
)
def test_any_other_gets_a_new_one(headers: list[tuple[bytes, bytes]]) -> None:
    first, second = context(headers).request_id, context(headers).request_id

    assert first != second
    assert len(first) == len(second) == 32
    assert int(first, 16) >= 0


def test_the_trace_is_known_whatever_the_request_is_called() -> None:
    trace = (b"traceparent", b"00-" + TRACE + b"-b7ad6b7169203331-01")

    assert context([trace, (b"x-request-id", b"mine")]).request_id == b"mine"
    assert context([trace, (b"x-request-id", b"mine")]).trace_id == TRACE
    assert context([(b"x-request-id", b"mine")]).trace_id is None


@pytest.mark.parametrize(
    ("client", "forwarded", "trusts", "expected"),
    [
        (None, None, False, "unknown"),
        (("10.0.0.1", 5), None, False, "10.0.0.1"),
        (("10.0.0.1", 5), b"10.0.0.2", False, "10.0.0.1"),
        (("10.0.0.1", 5), b"10.0.0.1", False, "10.0.0.1"),
        (("10.0.0.2", 0), b"10.0.0.2", False, "127.0.0.1"),
        (("10.0.0.2", 99), b"10.0.0.2:99", False, "127.0.0.1"),
        (("10.0.0.2", 0), b"10.0.0.2", True, "10.0.0.2"),
    ],
)
def test_the_address_is_not_what_a_caller_says(
    client: tuple[str, int] | None, forwarded: bytes | None, trusts: bool, expected: str
) -> None:
    headers = [] if forwarded is None else [(b"x-forwarded-for", forwarded)]

    assert context(headers, client, trusts).address == expected


def test_several_forwarded_headers_are_one_list() -> None:
    headers = [(b"x-forwarded-for", b"6.6.6.6"), (b"x-forwarded-for", b"127.0.0.1")]

    assert context(headers, ("6.6.6.6", 0)).address == "127.0.0.1"


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("10.0.0.2", "10.0.0.2"),
        ("::1", "::/64"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::", "2001:db8:1:3::/64"),
        ("fe80::1%<script>", "fe80::/64"),
        ("::ffff:10.0.0.2", "10.0.0.2"),
        ("::FFFF:a00:2", "10.0.0.2"),
        ("", "10.9.9.9"),
        ("unknown", "10.9.9.9"),
        ("_hidden", "10.9.9.9"),
        ("10.0.0.256", "10.9.9.9"),
        ("010.0.0.2", "10.9.9.9"),
        ("10.0.0.2:x", "10.9.9.9"),
        ("[::1", "10.9.9.9"),
        ("' OR 1=1", "10.9.9.9"),
        ("1" * 60_000, "10.9.9.9"),
    ],
)
def test_what_a_trusted_proxy_forwards_counts_when_it_is_an_address(host: str, expected: str) -> None:
    headers = [(b"x-forwarded-for", host.encode())]

    assert context(headers, (host, 0), trusts=True, peer="10.9.9.9").address == expected


@pytest.mark.parametrize(("peer", "expected"), [("::1", "::/64"), (None, "unknown")])
def test_without_an_address_the_proxy_is_the_caller(peer: str | None, expected: str) -> None:
    headers = [(b"x-forwarded-for", b"nobody")]

    assert context(headers, ("nobody", 0), trusts=True, peer=peer).address == expected


@pytest.mark.parametrize(
    ("client", "expected"),
    [("::ffff:10.0.0.2", "10.0.0.2"), ("2001:db8::1", "2001:db8::/64"), ("10.0.0.2", "10.0.0.2")],
)
def test_a_caller_without_proxy_is_named_alike(client: str, expected: str) -> None:
    assert context([], (client, 1)).address == expected

"""The security headers every response carries, errors included; built once."""

RawHeaders = list[tuple[bytes, bytes]]


def security_headers(content_policy: str) -> RawHeaders:
    """Return the headers with `content_policy` as what a page may load."""
    return [
        (b"content-security-policy", content_policy.encode()),
        (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
        (b"referrer-policy", b"no-referrer"),
        (b"strict-transport-security", b"max-age=31536000; includeSubDomains"),
        (b"x-content-type-options", b"nosniff"),
        (b"x-frame-options", b"DENY"),
    ]


STRICT = security_headers("default-src 'none'; frame-ancestors 'none'") + [(b"cache-control", b"no-store")]

"""What the text of an environment variable may say, where a type of Python is not enough."""

import re
from typing import Annotated
from urllib.parse import urlsplit

from limits import parse_many
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode

MOST_REQUESTS = 10**9
LONGEST_WINDOW = 366 * 24 * 3600  # seconds


def _split(value: object) -> object:
    return (
        tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value
    )


def _check_limit(value: str) -> str:
    wanted = "write a limit as 10/minute, 100/hour or 1000/day"
    try:
        limit, *others = parse_many(value)
    except ValueError as error:
        raise ValueError(wanted) from error
    if others:
        raise ValueError(f"{wanted}, and one alone")
    if limit.amount > MOST_REQUESTS or limit.get_expiry() > LONGEST_WINDOW:
        raise ValueError(f"a limit is at most {MOST_REQUESTS} requests, in at most 366 days")
    return value


def _check_storage(value: str) -> str:
    if not re.match(r"(memory|rediss?)://", value):
        raise ValueError("must start with memory://, redis:// or rediss://")
    try:
        urlsplit(value).port
    except ValueError as error:  # says what it was, of which a part may be a password
        raise ValueError("must be an address such as redis://host:6379") from error
    return value


_SIZES = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "KI": 2**10, "MI": 2**20, "GI": 2**30}
_DURATIONS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}


def _size(value: object) -> object:
    """Return the number of bytes that `64KiB` or `1MB` says; what says nothing stays, to be refused."""
    match = (
        re.fullmatch(r"(\d{1,18}) ?([KMG]I?)?B?", value.strip().upper()) if isinstance(value, str) else None
    )
    return int(match[1]) * _SIZES[match[2] or ""] if match else value


def _duration(value: object) -> object:
    """Return the seconds that `500ms`, `10s` or `5m` says; what says nothing stays, to be refused."""
    match = (
        re.fullmatch(r"(\d+(?:\.\d+)?) ?(ms|[smhd])", value.strip().lower())
        if isinstance(value, str)
        else None
    )
    return float(match[1]) * _DURATIONS[match[2]] if match else value


CommaSeparated = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
Keys = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_split)]
Bytes = Annotated[int, Field(ge=1, le=2**30), BeforeValidator(_size)]
Seconds = Annotated[float, Field(allow_inf_nan=False), BeforeValidator(_duration)]
WholeSeconds = Annotated[int, BeforeValidator(_duration)]
Limit = Annotated[str, AfterValidator(_check_limit)]
LimitStorage = Annotated[str, AfterValidator(_check_storage)]

"""JSON that somebody else may have written: read strictly, and refused before it can cost much."""

import json
import math
import re
from typing import Any, NoReturn

from src.errors import BundleError
from src.validation import shown

MAX_ENTRIES = 250_000  # of one document, in all its arrays and objects together
MAX_KEYS = 10_000  # of one object
MAX_DIGITS = 20  # of a whole number: 64 bits

_TEXT = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)  # one that does not end goes to the end
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


def read_json(name: str, content: bytes) -> Any:
    """Return the value of the document `name`.

    Raises:
        BundleError: it is not JSON in UTF-8, has too many entries, a key twice, a number that a float or
            64 bits cannot hold, or text that is not Unicode.
    """
    structure = _TEXT.sub(b"", content)
    if sum(structure.count(mark) for mark in (b",", b"[", b"{")) > MAX_ENTRIES:
        raise BundleError(f"{name}: has more than {MAX_ENTRIES} entries")
    try:
        value = json.loads(
            content.decode(),
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=_float,
            parse_constant=_refuse_constant,
        )
        if _SURROGATE.search(content):
            json.dumps(value, ensure_ascii=False).encode()  # half a pair cannot be written
    except json.JSONDecodeError as error:
        raise BundleError(f"{name}: not JSON: {error.msg} at line {error.lineno}") from error
    except UnicodeDecodeError as error:
        raise BundleError(f"{name}: not JSON: not UTF-8") from error
    except UnicodeEncodeError as error:
        raise BundleError(f"{name}: a text holds half a surrogate pair") from error
    except RecursionError as error:
        raise BundleError(f"{name}: nested too deeply") from error
    except ValueError as error:
        raise BundleError(f"{name}: {error}") from error
    return value


def tupled(value: Any) -> Any:
    """Return `value` with a tuple for each array, as strict models want it."""
    if isinstance(value, list):
        return tuple(map(tupled, value))
    return {key: tupled(one) for key, one in value.items()} if isinstance(value, dict) else value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(pairs) > MAX_KEYS:
        raise ValueError(f"has an object of {len(pairs)} keys, at most {MAX_KEYS} are allowed")
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for place, name in enumerate(names) if name in names[:place])
        raise ValueError(f"has {shown(twice)!r} twice")
    return found


def _integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"has a whole number of {len(digits)} digits, at most {MAX_DIGITS} are allowed")
    return int(digits)


def _float(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"has the number {shown(digits)}, which is too large")
    return number


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"has {name}, which is no number")

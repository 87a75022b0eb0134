"""What pydantic refused, as one line for the person who can mend it."""

import re
import types
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

MAX_PROBLEMS = 1_000  # more are counted, not looked at: each takes a kilobyte
MAX_SHOWN = 60  # characters of a name that a message repeats

_WORDS = {"extra_forbidden": "unknown key", "missing": "missing"}


class Problem(NamedTuple):
    """One thing that is wrong in a document, in `params.yaml` or in the environment."""

    place: tuple[str | int, ...]  # the keys that lead there; empty: the whole of it
    kind: str  # pydantic's name for what is wrong
    message: str  # what is allowed
    found: Any  # it may be secret: `str` of a problem leaves it out
    allowed: str | None = None  # what may be there, where that is known already

    def __str__(self) -> str:
        where = ".".join(shown(str(part)) for part in self.place)
        return f"{where}: {self.message}" if where else self.message


def first_problem(error: ValidationError) -> Problem:
    """Return the first of `problems`, or how many there are when that is more than anybody would mend."""
    count = error.error_count()
    return Problem((), "many", f"has {count} mistakes", None) if count > MAX_PROBLEMS else problems(error)[0]


def problems(error: ValidationError) -> list[Problem]:
    """Return what pydantic found wrong, in its order."""
    return [
        Problem(
            one["loc"],
            one["type"],
            _WORDS.get(one["type"], one["msg"].removeprefix("Value error, ")),
            one["input"],
        )
        for one in error.errors(include_url=False, include_context=False)
    ]


def allowed(model: type[BaseModel], problem: Problem) -> str | None:
    """Return what the field that `problem` is about may be, where its type says so: `0 to 65535`."""
    field = _field(model, problem.place)
    if field is None or problem.kind in ("missing", "extra_forbidden", "value_error"):
        return None
    kinds = set(_kinds(field.annotation))
    for kind in kinds:
        if get_origin(kind) is Literal:
            return " or ".join(map(str, get_args(kind)))
    null = " or null" if type(None) in kinds else ""
    if kinds & {int, float}:
        whole = "a whole number, " if int in kinds else ""
        return f"{whole}{_bounds(field)}{null}".strip(", ") if _bounds(field) else f"a number{null}"
    return f"true or false{null}" if bool in kinds else None


def meant(name: str, known: Iterable[str]) -> str:
    """Return `, did you mean NAME?` for the one of `known` that is nearly `name`; nothing for none."""
    near = get_close_matches(name, list(known), n=1, cutoff=0.85)
    return f", did you mean {near[0]}?" if near else ""


def _field(model: Any, place: tuple[str | int, ...]) -> FieldInfo | None:
    field: FieldInfo | None = None
    for name in place:
        fields: dict[str, FieldInfo] = getattr(model, "model_fields", {})
        field = fields.get(str(name))
        if field is None:
            return None
        model = field.annotation
    return field


def _kinds(annotation: Any) -> Iterator[Any]:
    if get_origin(annotation) in (Union, types.UnionType):
        for one in get_args(annotation):
            yield from _kinds(one)
    else:
        yield annotation


def _bounds(field: FieldInfo) -> str:
    """Return the least and the most that a number may be, in words."""
    found: dict[str, Any] = {}
    for one in field.metadata:
        if isinstance(one, Ge | Gt):
            found["low"] = f"{one.ge}" if isinstance(one, Ge) else f"more than {one.gt}"
        elif isinstance(one, Le | Lt):
            found["high"] = f"{one.le}" if isinstance(one, Le) else f"less than {one.lt}"
    low, high = found.get("low"), found.get("high")
    if low and high:
        return (
            f"{low} to {high}" if low[0] in "-0123456789" and high[0] in "-0123456789" else f"{low}, {high}"
        )
    return f"{low} or more" if low and low[0].isdigit() else low or high or ""


def shown(text: str) -> str:
    """Return `text` for a message: the beginning of it, on one line."""
    short = text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"
    return short if short.isprintable() else repr(short)[1:-1]


def without_credentials(text: str) -> str:
    """Return `text` without the user and password of any URL in it."""
    return re.sub(r"(?<=://)[^/@\s]+@", "", text)

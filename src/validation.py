"""What pydantic refused, as one line for the person who can mend it."""

from typing import Any, NamedTuple

from pydantic import ValidationError

MAX_PROBLEMS = 1_000  # more are counted, not looked at: each takes a kilobyte
MAX_SHOWN = 60  # characters of a name that a message repeats

_WORDS = {"extra_forbidden": "unknown key", "missing": "missing"}


class Problem(NamedTuple):
    """One thing that is wrong in a document, in `params.yaml` or in the environment."""

    place: tuple[str | int, ...]  # the keys that lead there; empty: the whole of it
    kind: str  # pydantic's name for what is wrong
    message: str  # what is allowed
    found: Any  # it may be secret: `str` of a problem leaves it out

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


def shown(text: str) -> str:
    """Return `text` for a message: the beginning of it, on one line."""
    short = text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"
    return short if short.isprintable() else repr(short)[1:-1]

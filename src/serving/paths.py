"""Which endpoint a path means: a look-up, and for paths with parameters, `/models/{name}`, a template."""

import re
from collections.abc import Iterable
from typing import NamedTuple


class Match(NamedTuple):
    """An endpoint's path as the table has it, and the values of its parameters."""

    route: str
    parameters: dict[str, str]


class Paths:
    """The paths of the API. Most have no parameters, and are found without looking at those that have."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._exact: dict[str, Match] = {}
        self._templates: list[tuple[str, re.Pattern[str]]] = []
        for path in paths:
            if "{" in path:
                pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(path))
                self._templates.append((path, re.compile(pattern)))
            else:
                self._exact[path] = Match(path, {})

    def find(self, path: str) -> Match | None:
        """Return the endpoint of `path`; None when there is none."""
        return self._exact.get(path) or self._match(path)

    def _match(self, path: str) -> Match | None:
        if path.endswith("/"):  # people and frameworks add one
            return self.find(path[:-1]) if len(path) > 1 else None
        for template, pattern in self._templates:
            if found := pattern.fullmatch(path):
                return Match(template, found.groupdict())
        return None

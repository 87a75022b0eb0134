"""Rules with one mistake in them: a wrong threshold, window, patience or comparison."""

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

Rule = dict[str, Any]

_WINDOW = re.compile(r"(?<=\[)\d+[smhd](?=\])")
_NUMBER = re.compile(r"(?<![\w.\"/:])\d+(?:\.\d+)?(?![\w.\"])")
_BUCKET = re.compile(r'(?<=le=")[\d.]+(?=")')
_COMPARISON = re.compile(r"(?<=\s)(==|<=|>=|<|>)(?=\s)")
_OPPOSITE = {"==": "!=", "<": ">=", ">": "<=", "<=": ">", ">=": "<"}
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Mutant(NamedTuple):
    rule: Rule  # as it is
    changed: Rule


def name_of(rule: Rule) -> str:
    name: str = rule.get("alert") or rule["record"]
    return name


def seconds(text: str) -> int:
    """Return the length of a duration such as `5m`."""
    return int(text[:-1]) * _SECONDS[text[-1]]


def mutants(rule: Rule) -> Iterator[Mutant]:
    """Return `rule` changed in one place, for each place and change."""
    for patience in ["0s", *_durations(rule["for"])] if "for" in rule else []:
        yield Mutant(rule, {**rule, "for": patience})
    for pattern, changes in (
        (_WINDOW, _durations),
        (_NUMBER, _numbers),
        (_BUCKET, lambda text: ["0.05", "0.25"]),
        (_COMPARISON, lambda text: [_OPPOSITE[text]]),
    ):
        for expression in _replaced(rule["expr"], pattern, changes):
            yield Mutant(rule, {**rule, "expr": expression})


def changed_by(rules: list[Rule], mutated: Rule) -> set[str]:
    """Return the names of those of `rules` that read the mutated one, over others too, and its own."""
    names = {name_of(mutated)}
    while more := {name_of(rule) for rule in rules if names & _read(rule, rules)} - names:
        names |= more
    return names


def needed_by(rules: list[Rule], names: set[str]) -> list[Rule]:
    """Return those of `rules` that have one of `names`, and all that these read, in their order."""
    names = set(names)
    while more := {name for rule in rules if name_of(rule) in names for name in _read(rule, rules)} - names:
        names |= more
    return [rule for rule in rules if name_of(rule) in names]


def _read(rule: Rule, rules: list[Rule]) -> set[str]:
    words = set(re.findall(r"[\w:]+", rule["expr"]))
    return words & {name_of(other) for other in rules if "record" in other}


def _replaced(text: str, pattern: re.Pattern[str], changes: Callable[[str], list[str]]) -> Iterator[str]:
    for match in pattern.finditer(text):
        for change in changes(match[0]):
            yield text[: match.start()] + change + text[match.end() :]


def _durations(text: str) -> list[str]:
    return [f"{seconds(text) // 2}s", f"{seconds(text) * 2}s"]


def _numbers(text: str) -> list[str]:
    value = float(text)
    return [str(value * 1.25), str(value / 1.25)] if value else ["1", "-1"]

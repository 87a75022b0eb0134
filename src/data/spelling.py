"""Spellings that may not be read as their owner means them, each with an example and what to do."""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Self

import pandas as pd

from src.schema.cells import NUMBER, CellRule
from src.schema.dates import is_moment
from src.tables.kinds import BOOLEANS, LEADING_ZERO

_SEPARATED = re.compile(
    r"[+-]?(?:[0-9]{1,3}(?:[,.'’_\s][0-9]{3})+(?:[.,][0-9]+)?|[0-9]*,[0-9]+|[0-9]+(?:_[0-9]+)+)"
)
_CURRENCY = "EUR|USD|GBP|CHF|JPY|CNY|INR|BRL|CAD|AUD"
_UNIT = re.compile(rf"^(?:{_CURRENCY})\s*|\s*(?:{_CURRENCY})$|\s+[^\W\d_]{{1,4}}$")
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_DATE = re.compile(
    r"(?:[0-9]{4}([-/.])[0-9]{1,2}\1[0-9]{1,2}|[0-9]{1,2}([-/.])[0-9]{1,2}\2(?:[0-9]{4}|[0-9]{2})"
    rf"|[0-9]{{1,2}}[ -]{_MONTH}[ ,-]+[0-9]{{2,4}}|{_MONTH} [0-9]{{1,2}},? [0-9]{{4}})"
    r"(?:[T ].*)?|[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?(?:\.[0-9]+)?",
    flags=re.IGNORECASE,
)
_EXPONENT = re.compile(r"[+-]?[0-9]+[eE][0-9]+")
_PADDED = re.compile(r"[+-]?0[0-9]+\..*")


@dataclass(frozen=True)
class Spelled:
    """The cells of one column: how each is written, and what of it is the value."""

    header: str
    values: dict[str, str]  # as written: as read
    missing: dict[str, int]  # as written: how many; the others are in `values`
    counts: dict[str, int]  # of `values`

    @classmethod
    def of(cls, header: str, cells: "pd.Series[Any]", rule: CellRule) -> Self:
        """Return the column `cells`, which holds texts."""
        counts = {str(raw): int(count) for raw, count in cells.value_counts(sort=False).items()}
        values = {raw: text for raw in counts if (text := rule.text(raw))}
        missing = {raw: count for raw, count in counts.items() if raw not in values}
        return cls(header, values, missing, counts)

    def say(self, remark: str) -> str:
        """Return `remark` with the name of the column."""
        return f"column {self.header!r}: {remark}"

    def rows(self, texts: Collection[str]) -> int:
        """Return how many cells are read as one of `texts`."""
        return sum(self.counts[raw] for raw, text in self.values.items() if text in texts)

    @property
    def keep(self) -> str:
        """How to keep the column as it is written."""
        return f"data.text: [{self.header}] keeps it as text"


def of_texts(column: Spelled) -> Iterator[str]:
    """Yield what is to know of texts, the target's too."""
    if changed := [raw for raw, text in column.values.items() if raw != text]:
        many = sum(column.counts[raw] for raw in changed)
        yield column.say(
            f"blanks around {_quoted(changed[0])} and others, {many} in all, are no part of the text; "
            "data.strip: false keeps them"
        )
    elif blank := next((raw for raw in column.values if raw != raw.strip()), None):
        yield column.say(
            f"the blanks around {_quoted(blank)} are part of the text; data.strip: true removes them"
        )
    if alike := _alike(column.values.values(), _folded):
        yield column.say(
            f"{_quoted(alike[0])} and {_quoted(alike[1])} are two different texts; "
            "spell them alike if they are one"
        )


def of_guesses(column: Spelled) -> Iterator[str]:
    """Yield what texts may have been meant to be, when nobody declared them to be text."""
    texts = list(dict.fromkeys(column.values.values()))
    numbers = {text for text in texts if NUMBER.fullmatch(text.strip())}
    others = [text for text in texts if text not in numbers]
    zero = _first(texts, lambda text: LEADING_ZERO.fullmatch(text.strip()) is not None)
    if zero is not None and not others:
        yield column.say(
            f"{_quoted(zero)} has leading zeros, so that the column is text, in requests too; "
            "write its numbers without if it counts something"
        )
    if others and all(is_moment(text.strip()) for text in texts):
        yield column.say(f"{_quoted(texts[0])} and others are read as dates; {column.keep}")
        return
    dates = [text for text in others if _DATE.fullmatch(text.strip())]
    if dates and 2 * len(dates) >= len(texts):
        yield column.say(
            f"{_quoted(dates[0])} and {len(dates) - 1} more look like dates or times, "
            "each a category of its own; write them as 2013-07-04 or 2013-07-04T09:30, and they are dates, "
            "or leave them out: data.drop"
        )
        return
    written = [text for text in others if _is_written_number(text.strip())]
    remedy = "write numbers as 1234.5, without separators of thousands, currency, percent or unit"
    if others and (len(others) < len(numbers) or column.rows(set(others)) < column.rows(numbers)):
        if not written:
            remedy = "list it in data.missing if it means that there is none"
        first = (written or others)[0]
        yield column.say(f"text because of {_quoted(first)}; the other values are numbers; {remedy}")
    elif written and 2 * (len(written) + len(numbers)) >= len(texts):
        yield column.say(
            f"{_quoted(written[0])} is a text, not a number, and a category of its own; {remedy}"
        )


def of_numbers(column: Spelled) -> Iterator[str]:
    """Yield what changes when cells are read as numbers, or as true and false."""
    texts = [text.strip() for text in column.values.values()]
    alike = _alike(texts, lambda text: BOOLEANS[text] if text in BOOLEANS else float(text))
    odd = {
        "a sign": _first(texts, lambda text: text.startswith("+")),
        "an exponent": _first(texts, lambda text: _EXPONENT.fullmatch(text) is not None),
        "leading zeros": _first(texts, lambda text: _PADDED.fullmatch(text) is not None),
        "more digits than a number keeps": _first(texts, _loses_digits),
    }
    for what, text in odd.items():
        if text is not None:
            yield column.say(f"{_quoted(text)}, with {what}, is read as {float(text)!r}; {column.keep}")
    if alike:
        yield column.say(f"{_quoted(alike[0])} and {_quoted(alike[1])} are read as one value; {column.keep}")


def _quoted(text: str) -> str:
    return repr(text) if len(text) <= 40 else f"{text[:40]!r}…"


def _first(texts: Iterable[str], is_meant: Callable[[str], bool]) -> str | None:
    return next((text for text in texts if is_meant(text)), None)


def _alike(texts: Iterable[str], key: Callable[[str], object]) -> tuple[str, str] | None:
    """Return the first two different texts with the same `key`."""
    seen: dict[object, str] = {}
    for text in texts:
        other = seen.setdefault(key(text), text)
        if other != text:
            return other, text
    return None


def _folded(text: str) -> str:
    """Return what people see of `text`: in any case, with any blanks, é in one character or in two."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _is_written_number(text: str) -> bool:
    """Return whether `text` is a number as people write it: 1,234, 5 %, € 3.50 or 4 kg."""
    bare = "".join(one for one in text if one not in "%‰()" and unicodedata.category(one) != "Sc").strip()
    bare = _UNIT.sub("", bare).strip()
    return _SEPARATED.fullmatch(bare) is not None or (bare != text and NUMBER.fullmatch(bare) is not None)


def _loses_digits(text: str) -> bool:
    """Return whether `text` is a number that a double does not give back as it is written."""
    if len(text) <= 15 and "e" not in text.lower() or not NUMBER.fullmatch(text):
        return False
    return Decimal(text) != Decimal(repr(float(text)))

"""From the headers of a table to the names of its columns, and from what people write to a column."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial

from src.errors import DataError

_BRACKETS = re.compile(r"[(\[].*?[)\]]")
_VARIANTS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")  # marks that only choose a picture


def slug(header: str, brackets: bool = False) -> str:
    """Return `header` as a name: `sepal length (cm)` becomes `sepal_length`, `Durée` becomes `durée`.

    Letters and digits of every script are kept, in the form that Unicode has for comparing (NFKC, case
    folded); what stands in brackets is left out unless `brackets`.
    """
    text = _comparable(header)
    return "_".join(_words(text if brackets else _BRACKETS.sub(" ", text)))


def slugs(headers: Sequence[str]) -> list[str]:
    """Return one name per header; brackets, then capitals are kept where names would be the same without.

    Raises:
        DataError: a header has no letter or digit, or two have the same name.
    """
    names = [slug(header) for header in headers]
    if "" in names:
        header = headers[names.index("")]
        raise DataError(f"column {header!r}: its name needs a letter or a digit outside brackets")
    for form in (partial(slug, brackets=True), _with_capitals):
        columns = Counter(names)
        names = [
            form(header) if columns[name] > 1 else name for header, name in zip(headers, names, strict=True)
        ]
    seen: dict[str, str] = {}
    for header, name in zip(headers, names, strict=True):
        if name in seen:
            raise DataError(f"columns {seen[name]!r} and {header!r} are both named {name!r}")
        seen[name] = header
    return list(seen)


def named(headers: Iterable[object]) -> dict[str, str]:
    """Return name to header; raises as `slugs` does."""
    texts = [str(header) for header in headers]
    return dict(zip(slugs(texts), texts, strict=True))


def find(wanted: str, columns: Mapping[str, str]) -> str | None:
    """Return the name of the column that `wanted`, a header or a name, means; None when there is not one.

    `columns` are names to headers. Letters that look alike are, whatever their bytes: é in one or in two.
    """
    composed = unicodedata.normalize("NFC", wanted)
    for name, header in columns.items():
        if unicodedata.normalize("NFC", header) == composed:
            return name
    whole, short = slug(wanted, brackets=True), slug(wanted)
    for name in (_with_capitals(wanted), whole, short):
        if name in columns:
            return name
    alike = [name for name, header in columns.items() if whole and whole == slug(header, brackets=True)]
    return alike[0] if len(alike) == 1 else None


def _comparable(text: str) -> str:
    return unicodedata.normalize("NFKC", _visible(text).casefold())


def _with_capitals(header: str) -> str:
    return "_".join(_words(_visible(header)))


def _visible(text: str) -> str:
    visible = "".join(one for one in _VARIANTS.sub("", text) if unicodedata.category(one) != "Cf")
    return unicodedata.normalize("NFKC", visible)


def _words(text: str) -> Iterator[str]:
    """Yield the runs of letters and digits, with the marks that belong to them."""
    word = ""
    for character in text:
        category = unicodedata.category(character)
        if category[0] in "LN" or (word and category in ("Mn", "Mc")):
            word += character
        elif word:
            yield word
            word = ""
    if word:
        yield word

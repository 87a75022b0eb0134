"""The records of a text with delimiters, and what is no record, by its line."""

import csv
import io
from collections.abc import Iterator
from typing import NamedTuple

_CUT_OFF = "unexpected end of data"  # what `csv` says of a quote that nothing closes


class Record(NamedTuple):
    """One row, of which `wrong` says why it is none; the first line is 0."""

    line: int  # where it begins
    end: int  # the line after it
    cells: list[str]
    wrong: str = ""


def records(text: str, delimiter: str, width: int, is_whole: bool = True) -> Iterator[Record]:
    """Yield the records of `text`, which begins with one; empty lines are none.

    A record that is wrong costs no other: of a quote that nothing closes, or that does not end its cell,
    the line where its record begins is wrong, and reading goes on behind that line. Unless the text
    `is_whole`, more may follow: a quote that is open at its end may be closed there, and is not yielded.
    """
    lines = list(io.StringIO(text, newline=""))
    begun = 0
    while begun < len(lines):
        first = begun
        rest = (lines[place] for place in range(first, len(lines)))
        reader = csv.reader(rest, delimiter=delimiter, strict=True)
        try:
            for cells in reader:
                end = first + reader.line_num
                if len(cells) > 1 or "".join(cells).strip():
                    wrong = "" if len(cells) == width else f"{len(cells)} cells, the header has {width}"
                    if wrong and end > begun + 1:  # a quote took in lines that may be right
                        break
                    yield Record(begun, end, cells, wrong)
                begun = end
            else:
                return
        except csv.Error as error:
            wrong = str(error)
            if wrong == _CUT_OFF and not is_whole:
                return
        yield Record(begun, begun + 1, [], wrong)
        begun += 1

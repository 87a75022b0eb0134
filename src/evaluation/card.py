"""The model card: what a model is, what it was trained on, how good it is and where it should not be used.

Sections after Mitchell et al., "Model Cards for Model Reporting" (2019), as Markdown and as HTML. Nothing in
it changes from run to run, so that the same training gives the same bundle.
"""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, NamedTuple, Protocol

from src.bundle.bundle import CARD, CARD_PAGE, Training
from src.evaluation.gate import Gate
from src.evaluation.intervals import Interval
from src.schema.columns import CategoryColumn, Column, DateColumn, Schema
from src.tasks import TASKS

MOST_ROWS = 50  # of a table
MOST_CHARACTERS = 80  # of a cell

Row = Sequence[str]


class Measured(Protocol):
    """What every task's report has, beside its measures and those of its `baseline`."""

    rows: int
    baseline: Any
    importances: dict[str, float]


class Section(NamedTuple):
    """A heading, sentences below it, and a table whose first row is its header."""

    heading: str
    sentences: Sequence[str] = ()
    table: Sequence[Row] = ()


def card(
    training: Training,
    schema: Schema,
    importance: str,
    measured: Measured,
    intervals: Mapping[str, Interval],
    gate: Gate,
) -> dict[str, bytes]:
    """Return the card as `card.md` and `card.html`; `importance` says what that of a column is."""
    title = f"{training.name} version {training.version}"
    sections = [
        _details(training, schema),
        _data(training, schema),
        _quality(training, measured, intervals, gate),
        Section(
            "Feature importance",
            (f"{importance[0].upper()}{importance[1:]}.",),
            [
                ("column", "importance"),
                *(
                    (name, f"{value:.4f}")
                    for name, value in sorted(measured.importances.items(), key=lambda one: -one[1])
                ),
            ],
        ),
        _limits(schema),
    ]
    return {CARD: _markdown(title, sections).encode(), CARD_PAGE: _html(title, sections).encode()}


def _details(training: Training, schema: Schema) -> Section:
    facts = {
        "task": training.task,
        "model": training.model_type,
        "target": schema.target_header,
        **({"classes": ", ".join(schema.classes)} if schema.classes else {}),
        **{f"parameter {name}": str(value) for name, value in training.parameters.items()},
        "answers as scikit-learn": "to the last bit" if training.exact else "within rounding",
        "commit": training.git_commit or "unknown",
        "libraries": ", ".join(f"{name} {version}" for name, version in training.libraries.items()),
    }
    return Section("Model details", (), [("", ""), *facts.items()])


def _data(training: Training, schema: Schema) -> Section:
    rows = f"{training.n_samples} rows were used for training; SHA-256 of the table: {training.data_digest}."
    columns = [(column.header, column.type, _domain(column), _missing(column)) for column in schema.columns]
    return Section(
        "Training data", (rows,), [("column", "type", "values accepted", "missing values"), *columns]
    )


def _quality(
    training: Training, measured: Measured, intervals: Mapping[str, Interval], gate: Gate
) -> Section:
    names = TASKS[training.task].measures
    verdict = (
        "The model passed the quality gate." if gate.passed else f"Not published: {'; '.join(gate.missed)}."
    )
    table = [("metric", "model", "95 % interval", "baseline")]
    for name in names:
        between = "{:.4f} to {:.4f}".format(*intervals[name]) if name in intervals else ""
        value, baseline = getattr(measured, name), getattr(measured.baseline, name)
        table.append((name, f"{value:.4f}", between, f"{baseline:.4f}"))
    said = [f"Measured on {measured.rows} rows that were held out; the intervals are bootstrapped.", verdict]
    if training.interval is not None:
        said.append(
            f"Predictions are given with an interval of ± {training.interval.half_width:.6g}, made to hold "
            f"{training.interval.coverage:.0%} of the rows (split conformal prediction)."
        )
    return Section("Quality", said, table)


def _limits(schema: Schema) -> Section:
    said = [
        "Predictions are only as good as the training data is like the data that is sent: watch the drift.",
        "Numbers outside the accepted range are refused; those beyond the training data are guesses.",
    ]
    if schema.categorical:
        said.append("A text that training did not see is ignored, and the answer warns of it.")
    said.append("Fairness across groups of people was not evaluated.")
    return Section("Limitations", said)


def _domain(column: Column) -> str:
    if isinstance(column, CategoryColumn):
        return ", ".join(column.categories)
    if isinstance(column, DateColumn):
        return f"{column.lowest} to {column.highest}"
    if column.type == "boolean":
        return "true, false"
    return f"{column.lowest:g} to {column.highest:g}"


def _missing(column: Column) -> str:
    return "yes" if column.nullable else "no"


def _shown(text: Any) -> str:
    line = " ".join(str(text).split())
    return line if len(line) <= MOST_CHARACTERS else f"{line[:MOST_CHARACTERS]}…"


def _rows(table: Sequence[Row]) -> list[list[str]]:
    rows = [[_shown(cell) for cell in row] for row in table[: MOST_ROWS + 1]]
    if len(table) > MOST_ROWS + 1:
        rows.append([f"… and {len(table) - MOST_ROWS - 1} more", *[""] * (len(table[0]) - 1)])
    return rows


def _markdown(title: str, sections: Sequence[Section]) -> str:
    lines = [f"# {_escaped(title)}", ""]
    for section in sections:
        lines += [
            f"## {section.heading}",
            "",
            *(line for one in section.sentences for line in (_escaped(one), "")),
        ]
        if section.table:
            header, *body = _rows(section.table)
            lines += [f"| {' | '.join(map(_escaped, header))} |", f"|{' --- |' * len(header)}"]
            lines += [f"| {' | '.join(map(_escaped, row))} |" for row in body] + [""]
    return "\n".join(lines)


def _escaped(text: str) -> str:
    for mark in ("\\", "|", "<", "`", "*", "[", "]"):
        text = text.replace(mark, f"\\{mark}")
    return text


def _html(title: str, sections: Sequence[Section]) -> str:
    parts = [f"<h1>{escape(title)}</h1>"]
    for section in sections:
        parts += [
            f"<h2>{escape(section.heading)}</h2>",
            *(f"<p>{escape(one)}</p>" for one in section.sentences),
        ]
        if section.table:
            header, *body = _rows(section.table)
            head = "".join(f"<th scope=col>{escape(cell)}</th>" for cell in header)
            cells = ["".join(f"<td>{escape(cell)}</td>" for cell in row) for row in body]
            table = "".join(f"<tr>{row}</tr>" for row in cells)
            parts.append(f"<table><thead><tr>{head}</tr></thead><tbody>{table}</tbody></table>")
    return _PAGE.format(title=escape(title), body="\n".join(parts))


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"></head>
<body>
{body}
</body></html>
"""

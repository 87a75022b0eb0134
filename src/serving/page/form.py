"""The form in which people try the model, a field for each column of its schema."""

from html import escape
from typing import Any

from src.schema.columns import CategoryColumn, Column, DateColumn, NumericColumn
from src.serving.loaded_model import LoadedModel

MOST_CHOICES = 200  # categories that a field offers


def form(loaded: LoadedModel) -> str:
    """Return the form as HTML, filled in with the first example row."""
    schema = loaded.bundle.schema
    example = loaded.bundle.example.rows[0] if loaded.bundle.example.rows else {}
    fields = "".join(
        _field(place, column, example.get(column.name)) for place, column in enumerate(schema.columns)
    )
    return (
        '<section aria-labelledby="try"><h2 id="try">Try it</h2><form id="form" novalidate>'
        f'<div class="fields">{fields}</div><button type="submit">Predict</button></form>'
        '<div id="answer" role="status" aria-live="polite"></div>'
        '<details id="calls" hidden><summary>The same call as code</summary><div id="code"></div></details>'
        "</section>"
    )


def _field(place: int, column: Column, value: Any) -> str:
    name, title = escape(column.name), escape(column.header)
    optional = "" if column.nullable else " required"
    common = f'id="f{place}" name="{name}" data-type="{column.type}"{optional} aria-describedby="h{place}"'
    if isinstance(column, NumericColumn) and column.type == "boolean":
        choices = ["", "true", "false"] if column.nullable else ["true", "false"]
        chosen = "" if value is None else str(bool(value)).lower()
        options = "".join(f'<option{" selected" if one == chosen else ""}>{one}</option>' for one in choices)
        control, hint = f"<select {common}>{options}</select>", "true or false"
    elif isinstance(column, DateColumn):
        shown = "" if value is None else escape(str(value))
        control = f'<input {common} type="text" value="{shown}" autocomplete="off">'
        kind = "date and time" if column.has_time else "date"
        hint = f"{kind}, {column.lowest} to {column.highest}"
    elif isinstance(column, CategoryColumn):
        known = column.categories[:MOST_CHOICES]
        options = "".join(f'<option value="{escape(one)}"></option>' for one in known)
        shown = "" if value is None else escape(str(value))
        control = (
            f'<input {common} type="text" list="l{place}" value="{shown}" autocomplete="off">'
            f'<datalist id="l{place}">{options}</datalist>'
        )
        hint = f"{len(column.categories)} known values"
    else:
        step = "1" if column.type == "integer" else "any"
        shown = "" if value is None else escape(str(value))
        control = (
            f'<input {common} type="number" inputmode="decimal" step="{step}" min="{column.lowest:.10g}" '
            f'max="{column.highest:.10g}" value="{shown}" autocomplete="off">'
        )
        hint = f"{column.lowest:.6g} to {column.highest:.6g}"
    hint += ", may be empty" if column.nullable else ""
    return (
        f'<div class="field"><label for="f{place}">{title}</label>{control}'
        f'<span id="h{place}" class="hint">{escape(hint)}</span></div>'
    )

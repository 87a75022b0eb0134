"""Command `compare`: two versions side by side, their parameters, measures and plots, in one HTML file.

Where both were measured on the rows that are held out now, each answers them again, and the differences of
their measures have confidence intervals: what is the same row for both is drawn again and again (paired
bootstrap, after Efron, 1979).
"""

import base64
import html
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from src import logs, paths
from src.bundle.bundle import Bundle
from src.cli import Parser
from src.config import load_store_settings
from src.disk.files import write_file
from src.errors import RegistryError, exit_on_error
from src.evaluation.intervals import bootstrap, interval
from src.progress import step
from src.promotion.service import open_store
from src.runtime.session import load
from src.schema.features import to_features
from src.tables import processed
from src.tasks import TASKS, side

REPORT = Path("build/compare.html")


class Difference(NamedTuple):
    """How much more a measure is for B than for A, and the interval it is in with a probability of 95 %."""

    low: float
    high: float

    @property
    def is_clear(self) -> bool:
        return self.low > 0 or self.high < 0


def differences(a: Bundle, b: Bundle) -> dict[str, Difference] | None:
    """Return the interval of each measure's difference, B minus A; None when they have no rows in common."""
    if not paths.TEST.is_file() or a.manifest.task != b.manifest.task:
        return None
    held_out = processed.digest(paths.TEST)
    if any(held_out != one.manifest.test_digest or one.schema != a.schema for one in (a, b)):
        return None
    measures = side("src.evaluation.measures", a.manifest.task)
    test = processed.read_prepared(paths.TEST, a.schema)
    answers = [load(one).predict(to_features(a.schema, test)) for one in (a, b)]
    actual = measures.actual(a.schema, test)
    drawn = bootstrap(measures.quick_measures, [(actual, *answer) for answer in answers])
    return {
        name: Difference(*interval(np.subtract(drawn[1][name], values))) for name, values in drawn[0].items()
    }


def rows_of_measures(a: Bundle, b: Bundle, found: Mapping[str, Difference]) -> Iterator[tuple[str, ...]]:
    """Give a row per measure: its name, A's value, B's, the difference and its interval."""
    for name in TASKS[b.manifest.task].measures:
        if name not in a.manifest.measures:
            continue
        before, now = a.manifest.measures[name], b.manifest.measures[name]
        between = ""
        if name in found:
            low, high = found[name]
            between = f"{low:+.4f} to {high:+.4f}" + ("" if found[name].is_clear else ", may be chance")
        yield name, f"{before:.4f}", f"{now:.4f}", f"{now - before:+.4f}", between


def rows_of_parameters(a: Bundle, b: Bundle) -> Iterator[tuple[str, ...]]:
    """Give a row per parameter that is not the same for both."""
    before, now = _described(a), _described(b)
    for name in {**before, **now}:
        if before.get(name) != now.get(name):
            yield name, str(before.get(name, "-")), str(now.get(name, "-"))


def report(a: Bundle, b: Bundle, found: Mapping[str, Difference] | None) -> bytes:
    """Return the comparison as one HTML file that loads nothing else."""
    title = (
        f"{a.manifest.name} version {a.manifest.version} and {b.manifest.name} version {b.manifest.version}"
    )
    heads = ("A", "B")
    parts = [
        f"<h1>{html.escape(title)}</h1>",
        "<h2>Parameters</h2>",
        _table(("", *heads), rows_of_parameters(a, b)) or "<p>All are the same.</p>",
        "<h2>Metrics on the test set</h2>",
        _table(("", *heads, "B - A", "95 % interval"), rows_of_measures(a, b, found or {})),
        "" if found else f"<p>{html.escape(NO_INTERVALS)}</p>",
    ]
    drawn = [_pictures(one) for one in (a, b)]
    for name in drawn[0].keys() | drawn[1].keys():
        images = "".join(f"<td>{_image(one.get(name), name)}</td>" for one in drawn)
        parts.append(f"<table class=plots><tr>{images}</tr></table>")
    return _PAGE.format(title=html.escape(title), body="\n".join(parts)).encode()


NO_INTERVALS = (
    "No confidence intervals: the two versions were not both measured on the rows that are held out now."
)
_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light">
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem;
  color: #1f2933 }}
table {{ border-collapse: collapse; margin: 1rem 0 }}
th, td {{ padding: .3rem .9rem .3rem 0; text-align: left; vertical-align: top;
  border-bottom: 1px solid #e4e7eb }}
td {{ font-variant-numeric: tabular-nums }} .plots td {{ border: 0; width: 50% }} img {{ max-width: 100% }}
</style>
{body}
</html>
"""


def _described(bundle: Bundle) -> dict[str, Any]:
    manifest = bundle.manifest
    return {
        "model": manifest.model_type,
        **manifest.parameters,
        "rows": manifest.n_samples,
        "columns": manifest.n_features,
        "data": manifest.data_digest[:12],
        "commit": (manifest.git_commit or "-")[:12],
        "created": manifest.created_at,
    }


def _pictures(bundle: Bundle) -> dict[str, bytes]:
    measures = side("src.evaluation.measures", bundle.manifest.task)
    known = {name: bundle.metrics[name] for name in measures.Report.model_fields if name in bundle.metrics}
    found: dict[str, bytes] = measures.pictures(measures.Report.model_validate_json(json.dumps(known)))
    return found


def _table(header: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    if not body:
        return ""
    head = "".join(f"<th scope=col>{html.escape(cell)}</th>" for cell in header)
    return f"<table><tr>{head}</tr>{body}</table>"


def _image(png: bytes | None, name: str) -> str:
    if png is None:
        return ""
    return f'<img alt="{html.escape(name)}" src="data:image/png;base64,{base64.b64encode(png).decode()}">'


def main() -> None:
    parser = Parser("src.promotion.compare", __doc__)
    parser.add_argument("a", help="a version that was published, such as 1")
    parser.add_argument("b", help="another one")
    parser.add_argument("--out", type=Path, default=REPORT, help="default: %(default)s")
    arguments = parser.parse_args()
    logs.setup()
    with open_store(load_store_settings()) as store:
        a, b = (store.find(version).bundle for version in (arguments.a, arguments.b))
    if a.manifest.name != b.manifest.name:
        raise RegistryError(f"{a.manifest.name} and {b.manifest.name} are not versions of one model")
    with step("comparing"):
        found = differences(a, b)
        write_file(arguments.out, report(a, b, found))
    print(f"{'':<20}{'A':>10}{'B':>10}{'B - A':>10}  95 % interval")
    for name, before, now, change, between in rows_of_measures(a, b, found or {}):
        print(f"{name:<20}{before:>10}{now:>10}{change:>10}  {between}".rstrip())
    if found is None:
        print(f"\n{NO_INTERVALS}")
    print(f"\n{arguments.out} has the parameters and the plots")


if __name__ == "__main__":
    exit_on_error(main)

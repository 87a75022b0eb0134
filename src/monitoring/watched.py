"""Which features are watched for drift: of a wide table those of the columns that matter most.

A feature is up to 23 series of Prometheus for its rows and as many for training's: a thousand of them are
more than most servers of Prometheus should be given by one target.
"""

import math
from typing import Any

from src.bundle.bundle import Bundle


def watched(bundle: Bundle, most: int) -> frozenset[str]:
    """Return the names of at most `most` features of `bundle`, those of its most important columns.

    All features of a column are watched, or none. Of equal columns the first counts more, and so it is where
    the importances of the bundle say nothing.
    """
    schema = bundle.schema
    names = [feature.name for feature in schema.features]
    if len(names) <= most:
        return frozenset(names)
    importances = bundle.metrics.get("importances")
    known = importances if isinstance(importances, dict) else {}
    found: list[str] = []
    for column in sorted(schema.columns, key=lambda one: -_number(known.get(one.name))):
        parts = getattr(column, "parts", (column,))
        if len(found) + len(parts) <= most:
            found += [part.name for part in parts]
    return frozenset(found)


def _number(value: Any) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and math.isfinite(value) else 0.0

"""Which task a target asks for, where nobody says."""

from typing import Any

import pandas as pd

from src.schema.cells import CellRule
from src.tables.kinds import typed
from src.tasks import TaskName

FEW_WHOLE, FEW_FRACTIONS = 20, 10  # different numbers that can still be taken for classes


def chosen_task(texts: "pd.Series[Any]", cells: CellRule) -> TaskName:
    """Return `regression` for many different numbers; few are classes, as 0 and 1 are."""
    values = typed(texts, cells).dropna()
    if not all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values.tolist()):
        return "classification"
    different = pd.Series(values.unique()).astype(float)
    most = FEW_FRACTIONS if (different % 1 != 0).any() else FEW_WHOLE
    return "regression" if len(different) > most else "classification"

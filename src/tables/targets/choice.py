"""Which task a target asks for, where nobody says."""

from typing import Any

import pandas as pd

from src.schema.cells import CellRule
from src.schema.columns import MAX_CLASSES
from src.tables.kinds import typed
from src.tasks import TaskName

FEW_FRACTIONS = 10  # different numbers that are not whole and can still be taken for classes


def chosen_task(texts: "pd.Series[Any]", cells: CellRule) -> TaskName:
    """Return `regression` for numbers: more different ones than classes may be, or some that are not whole.

    Few whole numbers are classes, as they are with 0 and 1.
    """
    values = typed(texts, cells).dropna()
    if not all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values.tolist()):
        return "classification"
    different = pd.Series(values.unique()).astype(float)
    if len(different) > MAX_CLASSES:
        return "regression"
    return "regression" if len(different) > FEW_FRACTIONS and (different % 1 != 0).any() else "classification"

import pandas as pd
import pytest

from src.schema.cells import MISSING, CellRule
from src.tables.targets.choice import chosen_task

CELLS = CellRule(("", *MISSING), True)


@pytest.mark.parametrize(
    ("cells", "task"),
    [
        (["yes", "no", "yes"], "classification"),
        (["0", "1", "0", "NA", ""], "classification"),
        (["true", "false"], "classification"),
        ([str(number) for number in range(20)], "classification"),
        ([str(number) for number in range(21)], "regression"),
        ([f"{number}.0" for number in range(20)], "classification"),
        ([f"{number}.5" for number in range(10)], "classification"),
        ([f"{number}.5" for number in range(11)], "regression"),
        ([*(f"{number}.5" for number in range(11)), "n/a", ""], "regression"),
        ([*(f"{number}.5" for number in range(200)), "unknown"], "classification"),
        ([f"0{number}" for number in range(200)], "classification"),
        (["", "NA"], "classification"),
    ],
)
def test_the_task_is_what_the_target_looks_like(cells: list[str], task: str) -> None:
    assert chosen_task(pd.Series(cells), CELLS) == task

"""A table with every kind of column: numbers with gaps, integers, booleans, texts, one of them missing."""

from pathlib import Path

import numpy as np
import pandas as pd
import yaml


def mixed_table(rows: int = 240) -> pd.DataFrame:
    random = np.random.default_rng(7)
    age = random.integers(18, 80, rows)
    income = np.round(random.normal(3000, 900, rows), 2)
    city = random.choice(["Lisboa", "Porto", "São Paulo", 'a, "b"\r\nc'], rows)
    member = random.random(rows) < 0.4
    bought = np.where(income + 900 * member - 12 * age > 2700, "yes", "no")
    table = pd.DataFrame(
        {
            "customer id": np.arange(rows),
            "Age (years)": age,
            "income": income,
            "city": city,
            "member": member,
            "newsletter": pd.Series(random.random(rows) < 0.5, dtype=object),
            "bought?": bought,
        }
    )
    table.loc[::7, "income"] = np.nan
    table.loc[::11, "city"] = None
    table.loc[::5, "newsletter"] = None
    return table


def write_mixed(folder: Path, **train: object) -> None:
    """Make the mixed table and parameters for it the inputs in `folder`; `train` is its section, whole."""
    (folder / "data").mkdir(exist_ok=True)
    mixed_table().to_csv(folder / "data/customers.csv", index=False, lineterminator="\r\n")
    params = {
        "data": {
            "name": "customers",
            "source": "data/customers.csv",
            "target": "bought?",
            "drop": ["customer id"],
            "ranges": {"age": [0, 120]},
            "test_size": 0.25,
            "random_state": 3,
        },
        "train": train or {"model": "random_forest", "n_estimators": 20, "max_depth": None},
        "evaluate": {"min_accuracy": 0.5, "beat_baseline_by": 0.0},
    }
    (folder / "params.yaml").write_text(yaml.safe_dump(params))

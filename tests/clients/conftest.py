"""A real server with a model that has every kind of column, and rows that use them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pandas as pd
import pytest

from tests import servers
from tests.checkouts import run_stages, serving
from tests.conftest import copy_inputs, inside
from tests.mixed import mixed_table, write_mixed


class Served(NamedTuple):
    """A running server."""

    url: str
    rows: list[dict[str, Any]]  # that a request may hold, missing values and unseen texts among them

    @property
    def table(self) -> pd.DataFrame:
        return pd.DataFrame(self.rows)

    def predictions(self) -> list[dict[str, Any]]:
        """Return what `/predict` answers to each row."""
        with httpx.Client(timeout=servers.PATIENCE, base_url=self.url) as client:
            return [client.post("/predict", json=row).raise_for_status().json() for row in self.rows]


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("clients")
    copy_inputs(folder / "checkout")
    with inside(folder / "checkout"):
        write_mixed(Path())
        run_stages()
    with serving(folder / "checkout") as url:
        yield Served(url, _rows())


def _rows() -> list[dict[str, Any]]:
    table = mixed_table().head(60).drop(columns=["customer id", "bought?"])
    names = ["age", "income", "city", "member", "newsletter"]
    table = table.set_axis(names, axis="columns").astype(object)
    table = table.where(table.notna(), None)
    table.loc[3, "city"] = "Évora, unseen"
    rows: list[dict[str, Any]] = json.loads(table.to_json(orient="records"))
    return rows

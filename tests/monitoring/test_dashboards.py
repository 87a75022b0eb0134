"""Grafana reads what was last written from `observability/dashboards.py`."""

import json
import re

import pytest

from observability.dashboards import DASHBOARDS, FOLDER, RUNBOOKS, dashboard
from tests.conftest import REPOSITORY


@pytest.mark.parametrize("name", DASHBOARDS)
def test_dashboards_are_up_to_date(name: str) -> None:
    written = (REPOSITORY / FOLDER / f"{name}.json").read_text()

    assert written == dashboard(name), "make dashboards"


def test_there_are_no_others() -> None:
    assert {file.stem for file in (REPOSITORY / FOLDER).glob("*")} == set(DASHBOARDS)


@pytest.mark.parametrize("name", DASHBOARDS)
def test_panels_ask_a_question_have_a_unit_and_link_to_pages_there_are(name: str) -> None:
    headings = re.findall(r"^### (\w+)$", (REPOSITORY / "docs/runbooks.md").read_text(), flags=re.MULTILINE)
    pages = {f"{RUNBOOKS}#{heading.lower()}" for heading in headings}

    for panel in json.loads(dashboard(name))["panels"]:
        assert panel["title"].removesuffix(" (PSI)").endswith("?")
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert {link["url"] for link in panel.get("links", ())} <= pages

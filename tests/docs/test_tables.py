"""The tables of the documentation are what the code says: when one is stale, run `make docs`."""

import re
from pathlib import Path

import pytest

from scripts import ingress, tables
from tests.conftest import REPOSITORY

PAGES = tables.pages()
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))


@each_page
def test_tables_are_what_the_code_says(page: Path) -> None:
    assert page.read_text(encoding="utf-8") == tables.filled(page)


def test_every_table_is_shown_somewhere() -> None:
    texts = [page.read_text(encoding="utf-8") for page in PAGES]
    shown = {name for text in texts for name in re.findall("<!-- table: ([a-z]+) -->", text)}

    assert shown == tables.TABLES.keys()


def test_the_ingress_leads_where_the_table_of_endpoints_says() -> None:
    written = ingress.INGRESS.read_text(encoding="utf-8")

    assert written == ingress.filled(written)

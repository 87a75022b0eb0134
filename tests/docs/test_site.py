"""The site of the pages: it builds without a warning, and its pages ask no other host for anything."""

import re
from pathlib import Path

import pytest
from mkdocs.commands.build import build
from mkdocs.config import load_config

from scripts.diagrams import diagrams, drawn_from
from tests.conftest import REPOSITORY

# What a browser fetches by itself; where a reader goes by a click is another matter.
FETCHED = re.compile(
    r"<(?:script|img|iframe|source|video|audio|embed|object)\b[^>]*?\b(?:src|data)=\"([^\"]*)\""
    r"|<link\b(?![^>]*rel=\"canonical\")[^>]*?\bhref=\"([^\"]*)\""
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    config = load_config(str(REPOSITORY / "mkdocs.yml"), site_dir=str(folder), strict=True)
    build(config)  # a link that leads nowhere, or a page that nobody finds, ends it
    return folder


def test_every_page_is_in_the_site(site: Path) -> None:
    pages = {page.with_suffix("").name for page in (REPOSITORY / "docs").glob("*.md")}

    assert {page.stem for page in site.glob("*.html")} == (pages - {"README"}) | {"index", "404"}


def test_a_page_loads_from_its_own_folder_alone(site: Path) -> None:
    fetched = [
        address
        for page in site.glob("*.html")
        for addresses in FETCHED.findall(page.read_text(encoding="utf-8"))
        for address in addresses
        if address
    ]

    assert len(fetched) > 50
    assert [address for address in fetched if re.match(r"(\w+:)?//", address)] == []


def test_nothing_makes_the_theme_ask_another_host(site: Path) -> None:
    pages = "".join(page.read_text(encoding="utf-8") for page in site.glob("*.html"))

    assert 'class="mermaid"' not in pages  # it would fetch the program that draws them
    assert 'data-md-component="source"' not in pages  # it would ask GitHub for stars


@pytest.mark.parametrize(("name", "source"), diagrams())
def test_a_picture_is_drawn_from_its_diagram(name: str, source: str) -> None:
    picture = (REPOSITORY / f"docs/pictures/{name}.svg").read_text(encoding="utf-8")

    assert picture.endswith(drawn_from(source))  # else: make diagrams


def test_every_diagram_is_a_picture_in_the_site(site: Path) -> None:
    pages = "".join(page.read_text(encoding="utf-8") for page in site.glob("*.html"))

    assert sorted(set(re.findall(r'src="pictures/(\w+)\.svg"', pages))) == [name for name, _ in diagrams()]
    assert "flowchart" not in pages


def test_a_link_out_of_the_pages_goes_to_the_repository(site: Path) -> None:
    page = (site / "infrastructure.html").read_text(encoding="utf-8")

    assert 'href="https://github.com/mlarnes/mlops-core/blob/main/k8s/README.md"' in page

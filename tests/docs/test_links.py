"""Every link of the documentation leads somewhere, its anchor too."""

import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.conftest import REPOSITORY
from tests.docs.blocks import OTHERS, PAGES, prose

LINK = re.compile(r"!?\[[^\]]*\]\(<?([^)\s>]+)>?\)|(?:src|href)=\"([^\"]+)\"")
OWN = "https://github.com/mlarnes/mlops-core/blob/main/"


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub gives the headings of `page`."""
    headings = re.findall(r"^#{1,6} (.+?)(?: \{#[\w-]+\})?$", prose(page), flags=re.MULTILINE)
    found: set[str] = set()
    for heading in headings:
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").lower()
        slug = re.sub(r"[^\w\- ]", "", text).replace(" ", "-")
        numbered = [slug, *(f"{slug}-{number}" for number in range(1, 20))]
        found.add(next(name for name in numbered if name not in found))
    return found


def broken(page: Path, text: str) -> list[str]:
    """Return the links of `text`, which stands in `page`, that lead nowhere in this repository."""
    found = []
    for link in (first or second for first, second in LINK.findall(text)):
        address = unquote(link)
        inside = REPOSITORY / address.removeprefix(OWN) if address.startswith(OWN) else page.parent / address
        if "://" in address and not address.startswith(OWN):
            continue
        path, _, anchor = str(inside).partition("#")
        target = page if address.startswith("#") else Path(path)
        if not target.exists() or (anchor and anchor not in anchors(target)):
            found.append(link)
    return found


@pytest.mark.parametrize("page", [*PAGES, *OTHERS], ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_links_lead_somewhere(page: Path) -> None:
    assert broken(page, prose(page)) == []


def test_a_link_to_nowhere_is_found() -> None:
    links = {
        "[a](docs/README.md)": True,
        "[a](docs/none.md)": False,
        "[a](docs/performance.md#benchmark)": True,
        "[a](docs/performance.md#no-benchmark)": False,
        "[a](#quick-start)": True,
        "[a](#end)": False,
        "![a](docs/performance.png)": True,
        '<img src="docs/none.png">': False,
        f"[a]({OWN}docs/none.md)": False,
        "[a](https://example.com)": True,
    }

    assert {link: not broken(REPOSITORY / "README.md", link) for link in links} == links


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page.parent == REPOSITORY], ids=lambda page: page.name
)
def test_nothing_is_linked_twice_in_a_row(page: Path) -> None:
    lines = [line for line in page.read_text().splitlines() if line.startswith("[") and "](" in line]

    assert lines
    assert [line for line in lines if lines.count(line) > 1] == []

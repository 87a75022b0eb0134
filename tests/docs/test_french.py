"""The French README is the English one: same headings, commands, links, tables and pictures."""

import re
from pathlib import Path

from tests.conftest import REPOSITORY
from tests.docs.blocks import blocks, prose

ENGLISH, FRENCH = REPOSITORY / "README.md", REPOSITORY / "README.fr.md"


def outline(page: Path) -> list[str]:
    """Return the levels of the headings, with the lists, tables and pictures below them."""
    kinds = {"#": "heading", "-": "item", "|": "row", "!": "picture"}
    found = []
    for line in prose(page).splitlines():
        if match := re.match(r"(#+) ", line):
            found.append(f"heading {len(match[1])}")
        elif re.match(r"(- |\||!\[|\d\. )", line):
            found.append(kinds.get(line[0], "step"))
    return found


def links(page: Path) -> list[str]:
    found = re.findall(r"\]\(([^)]+)\)", prose(page))
    return [link for link in found if not link.startswith("README")]


def typed(page: Path) -> list[tuple[str, str, str | None]]:
    """Return the blocks; of the tree its paths alone, what is said beside them is translated."""
    return [
        (
            block.language,
            re.sub(r"  .*", "", block.text) if block.language == "text" else block.text,
            block.mark,
        )
        for block in blocks(page)
    ]


def words(page: Path) -> list[str]:
    """Return what is written as code outside blocks."""
    return re.findall(r"`[^`\n]+`", prose(page))


def test_both_have_the_same_outline() -> None:
    assert outline(FRENCH) == outline(ENGLISH)


def test_both_have_the_same_blocks() -> None:
    assert typed(FRENCH) == typed(ENGLISH)


def test_both_have_the_same_links() -> None:
    assert links(FRENCH) == links(ENGLISH)


def test_both_name_the_same_things() -> None:
    assert sorted(set(words(FRENCH))) == sorted(set(words(ENGLISH)))

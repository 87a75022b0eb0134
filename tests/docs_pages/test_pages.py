"""The commands of each page are typed, in a fresh clone of its own."""

from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.docs.blocks import PAGES, blocks
from tests.docs.terminal import copy_checkout, terminal, type_page

TYPED = [page for page in PAGES if page.parent != REPOSITORY and any(block.is_run for block in blocks(page))]


@pytest.mark.parametrize("page", TYPED, ids=lambda page: page.stem)
def test_a_page_does_as_it_says(page: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mlops-core"
    copy_checkout(folder)

    with terminal(folder) as opened:
        typed = type_page(blocks(page), opened)

    assert typed >= 1

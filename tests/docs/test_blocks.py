"""Each command of the documentation is typed by a test or says why not, and names only what there is."""

import re
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.docs import words
from tests.docs.blocks import OTHERS, OUTPUT, PAGES, SHELLS, Block, blocks, prose, shell_blocks

FOLDERS = "|".join(
    folder.name for folder in REPOSITORY.iterdir() if folder.is_dir() and not folder.name.startswith(".")
)
EVERY = [*PAGES, *OTHERS]


def name(page: Path) -> str:
    return str(page.relative_to(REPOSITORY))


def each_block(pages: list[Path]) -> pytest.MarkDecorator:
    found = [block for page in pages for block in shell_blocks(page)]
    return pytest.mark.parametrize("block", found, ids=lambda block: block.where)


@each_block(PAGES)
def test_a_block_is_run_or_says_why_not(block: Block) -> None:
    assert block.mark, f"{block.where}: write <!-- run --> or <!-- not run: why --> above it"
    assert block.mark != OUTPUT


@each_block(EVERY)
def test_a_block_names_what_there_is(block: Block) -> None:
    before = "\n".join(other.text for other in shell_blocks(block.page) if other.line <= block.line)

    assert words.unknown(block, before) == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_an_output_follows_a_block_that_is_run(page: Path) -> None:
    found = blocks(page)

    for above, block in zip([None, *found], found, strict=False):
        if block.mark == OUTPUT:
            assert above is not None and above.is_run and block.language in ("json", "text"), block.where
        elif block.mark:
            assert block.language in SHELLS, block.where


@pytest.mark.parametrize("page", EVERY, ids=name)
def test_the_prose_names_what_there_is(page: Path) -> None:
    inline = re.findall(r"`([^`\n]+)`", prose(page))
    targets = [word.removeprefix("make ").split()[0] for word in inline if word.startswith("make ")]
    modules = [word.split()[2] for word in inline if word.startswith("python -m ")]
    variables = [word for word in inline if re.fullmatch(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+", word)]
    named = set(re.findall(r"source: ([\w/.-]+)", page.read_text(encoding="utf-8")))
    files = [word for word in inline if re.fullmatch(rf"({FOLDERS})/[\w./-]*", word)]

    assert [variable for variable in variables if variable not in words.names()] == []
    assert [target for target in targets if target not in words.targets()] == []
    assert [module for module in modules if not words.module_file(module).is_file()] == []
    assert [file for file in files if not words.exists(file, named)] == []

"""The commands of the README are typed here, in a fresh clone, and answer as it says."""

from pathlib import Path

from tests.conftest import REPOSITORY
from tests.docs.blocks import SERVER, blocks
from tests.docs.terminal import terminal, type_page

README = REPOSITORY / "README.md"


def test_the_readme_does_as_it_says(tmp_path: Path) -> None:
    folder = tmp_path / "home"
    folder.mkdir()

    with terminal(folder) as opened:
        typed = type_page(blocks(README), opened)

    assert typed >= 3


def test_two_commands_are_all_it_takes() -> None:
    first = next(block for block in blocks(README) if block.is_run)

    assert first.mark == SERVER
    clone, run = first.text.splitlines()
    assert clone.startswith("git clone ") and clone.endswith(" && cd mlops-core")
    assert run == "make run"

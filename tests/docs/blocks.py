"""The fenced blocks of a page, and the mark above each that says what is done with it."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.conftest import REPOSITORY

PAGES = [*sorted(REPOSITORY.glob("README*.md")), *sorted((REPOSITORY / "docs").rglob("*.md"))]
# Their commands need a cluster or an account, and what they name is checked all the same.
OTHERS = [
    *(REPOSITORY / name for name in ("CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")),
    *(
        page
        for folder in ("bench", "k8s", "terraform")
        for page in sorted((REPOSITORY / folder).rglob("*.md"))
    ),
]
SHELLS = {"bash", "console", "powershell", "sh", "shell", "zsh"}
RUN, SERVER, OUTPUT = "run", "run: server", "output"
MARK = re.compile(r"<!-- (run|run: server|output|not run: .{10,}) -->")


class Block(NamedTuple):
    """What stands between two fences; `mark` is the comment directly above them."""

    page: Path
    line: int
    language: str
    text: str
    mark: str | None

    @property
    def where(self) -> str:
        page = self.page
        return f"{page.relative_to(REPOSITORY) if page.is_relative_to(REPOSITORY) else page.name}:{self.line}"

    @property
    def is_run(self) -> bool:
        return self.mark in (RUN, SERVER)


def blocks(page: Path) -> list[Block]:
    """Return the blocks of `page`, in its order."""
    return list(_blocks(page))


def shell_blocks(page: Path) -> list[Block]:
    return [block for block in blocks(page) if block.language in SHELLS]


def _blocks(page: Path) -> Iterator[Block]:
    above, fence, language, start, inside = "", "", "", 0, list[str]()
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        if fence:
            if line.strip() == fence:
                mark = MARK.fullmatch(above)
                yield Block(page, start, language, "\n".join(inside) + "\n", mark[1] if mark else None)
                above, fence = "", ""
            else:
                inside.append(line)
        elif opening := re.match(r" *(`{3,})(\w*)", line):
            (fence, language), start, inside = opening.groups(), number, []
        else:
            above = line.strip()
    assert not fence, f"{page}: the block of line {start} has no end"


def prose(page: Path) -> str:
    """Return the text of `page` without its blocks."""
    return re.sub(
        r"^ *(`{3,}).*?^ *\1$", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE
    )

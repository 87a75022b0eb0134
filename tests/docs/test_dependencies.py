"""Each dependency is there for a reason that the documentation gives."""

import re
import tomllib

from tests.conftest import REPOSITORY

PAGE = (REPOSITORY / "docs/architecture.md").read_text(encoding="utf-8")


def test_every_dependency_is_explained_and_no_other() -> None:
    groups = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["dependency-groups"]
    needed = {re.split(r"[^\w-]", wanted)[0].lower() for group in groups.values() for wanted in group}

    section = PAGE.split("\n## Why each dependency\n")[1].split("\n## ")[0]
    cells = re.findall(r"^\| (`[^|]*`) \|", section, flags=re.MULTILINE)
    explained = [name for cell in cells for name in re.findall(r"`([\w-]+)`", cell)]

    assert sorted(explained) == sorted(needed)

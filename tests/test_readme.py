"""What the README says is done: its commands are typed in a fresh clone, its table trained."""

import random
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from src import paths
from src.bundle import bundle as bundles
from src.data import prepare
from src.evaluation import evaluate
from src.training import train
from tests.conftest import REPOSITORY, run
from tests.docs.blocks import SERVER, blocks
from tests.docs.terminal import terminal, type_page

README = REPOSITORY / "README.md"
REFERENCE = REPOSITORY / "docs/reference.md"


def test_the_readme_does_as_it_says(tmp_path: Path) -> None:
    folder = tmp_path / "home"
    folder.mkdir()

    with terminal(folder) as opened:
        typed = type_page(blocks(README), opened)

    assert typed >= 3


def test_two_commands_are_all_it_takes() -> None:
    first = next(block for block in blocks(README) if block.is_run)

    assert first.mark == SERVER
    clone, start = first.text.splitlines()
    assert clone.startswith("git clone ") and clone.endswith(" && cd mlops-core")
    assert start == "make run"


def write_churn(file: Path) -> None:
    """Write a table with numbers, gaps, text and booleans, of which the target follows."""
    chance = random.Random(0)
    lines = ["customer_id,Age,Monthly charge (EUR),contract,newsletter,churned"]
    for number in range(300):
        contract, charge = chance.choice(["month", "year"]), chance.uniform(10, 100)
        churned = "yes" if contract == "month" and charge > 40 else "no"
        shown = "" if number % 50 == 0 else f"{charge:.2f}"
        row = [f"C{number}", str(chance.randint(18, 90)), shown, contract, str(number % 3 == 0), churned]
        lines.append(",".join(row))
    file.write_text("\n".join(lines) + "\n")


@pytest.mark.usefixtures("workspace")
def test_a_table_of_ones_own_needs_a_few_lines_alone() -> None:
    (described,) = [block.text for block in blocks(README) if block.language == "yaml"]
    params = {**yaml.safe_load(paths.PARAMS.read_text()), **yaml.safe_load(described)}
    paths.PARAMS.write_text(yaml.safe_dump(params))
    write_churn(Path(params["data"]["source"]))

    run(prepare.main)
    run(train.main)
    run(evaluate.main)

    bundle = bundles.load(bundles.folder_fetch(paths.MODELS))
    assert bundle.manifest.name == "ChurnClassifier"
    assert bundle.schema.classes == ("no", "yes")
    assert [(column.name, column.type, column.nullable) for column in bundle.schema.columns] == [
        ("age", "integer", False),
        ("monthly_charge", "float", True),
        ("contract", "category", False),
        ("newsletter", "boolean", False),
    ]


def test_the_repository_layout_is_as_documented() -> None:
    (tree,) = [block.text for block in blocks(REFERENCE) if block.text.startswith("params.yaml ")]
    shown = re.findall(r"^(\S+)  ", tree, flags=re.MULTILINE)
    listed = subprocess.run(["git", "ls-files"], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    tops = {name.partition("/")[0] for name in listed.stdout.splitlines()}
    seen = {top for top in tops if not top.startswith((".", "README")) and top != "poetry.toml"}
    rooms = {
        f"src/{path.name}/" for path in (REPOSITORY / "src").iterdir() if (path / "__init__.py").exists()
    }

    assert [path for path in shown if not (REPOSITORY / path).exists()] == []
    assert sorted(seen) == sorted({path.partition("/")[0] for path in shown})
    assert sorted(rooms) == sorted(path for path in shown if re.fullmatch(r"src/\w+/", path))

"""Imports point one way, each heavy library has one room, and the API a short list of rooms."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

GROUND = [
    {
        "errors",
        "logs",
        "paths",
        "progress",
        "setting_types",
        "strict_model",
        "tasks",
        "validation",
        "version",
    },
    {"cli", "disk", "documents"},
]
# A module may import from its own room and from every line above it.
LAYERS: list[set[str]] = [
    *GROUND,
    {"config", "schema"},
    {"bundle"},
    {"runtime"},
    {"export", "monitoring"},
    {"params"},
    {"tables"},
    {"evaluation"},
    {"store"},
    {"tracking"},
    {"promotion"},
    {"data", "training", "evaluate", "scoring", "serving"},
]
COMMANDS = {"src/evaluation/evaluate.py": "evaluate"}  # a stage in a room that others import from
SHIPPED = {"bundle", "config", "monitoring", "runtime", "schema", "serving", "store"}.union(*GROUND)
ONLY_ROOMS = {
    "mlflow": {"promotion", "tracking"},
    "onnx": {"export"},
    "onnxruntime": {"runtime"},
    "sklearn": {"evaluation", "export", "promotion", "tables", "tracking", "training"},
}
NEVER_LOADED_BY_SERVING = (
    "mlflow sklearn pandas dvc onnx yaml matplotlib rich google requests redis"
).split()


def modules() -> list[Path]:
    return sorted((REPOSITORY / "src").rglob("*.py"))


def room_of(module: str) -> str:
    return module.split(".")[1]


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            if node.module == "src":
                yield from (f"src.{alias.name}" for alias in node.names)
            else:
                yield str(node.module)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "side":
            yield ast.literal_eval(node.args[0])


def layer_of(room: str) -> int:
    [layer] = [number for number, rooms in enumerate(LAYERS) if room in rooms]
    return layer


def wrong_imports(path: Path, room: str) -> list[str]:
    wrong = []
    for name in imported(path):
        package = name.split(".")[0]
        if room not in ONLY_ROOMS.get(package, {room}):
            wrong.append(name)
        if package != "src":
            continue
        other = room_of(name)
        own = room if room != "evaluate" else "evaluation"
        if room in SHIPPED and other not in SHIPPED:
            wrong.append(name)
        elif other not in (room, own) and layer_of(other) >= layer_of(room):
            wrong.append(name)
    return wrong


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_imports_point_one_way(path: Path) -> None:
    if path == REPOSITORY / "src" / "__init__.py":
        assert path.read_text() == ""
        return
    module = path.relative_to(REPOSITORY)
    room = COMMANDS.get(str(module), module.parts[1].removesuffix(".py"))

    assert wrong_imports(path, room) == []


@pytest.mark.parametrize(
    ("room", "line"),
    [
        ("serving", "import mlflow"),
        ("training", "from src.promotion import publish\nfrom src.data import prepare"),
        ("evaluation", "from src.promotion.publish import publish"),
        ("serving", "from src.export.graph import Graph"),
        ("schema", "from src.bundle import Bundle"),
        ("runtime", "import onnx"),
        ("config", "from src.params import load_params"),
        ("export", "from src.params import Params"),
        ("serving", "from src.params import load_params"),
        ("store", "import onnxruntime as ort"),
        ("serving", 'side("src.tables.targets", task).split(table)'),
    ],
)
def test_a_wrong_import_is_seen(room: str, line: str, tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text(line)

    assert len(wrong_imports(path, room)) == 1


@pytest.mark.parametrize("path", sorted((REPOSITORY / "src").rglob("__init__.py")), ids=str)
def test_packages_are_empty(path: Path) -> None:
    assert path.read_text() == ""


def test_the_server_loads_none_of_the_pipeline() -> None:
    code = "import sys, src.serving.app; print(*{name.split('.')[0] for name in sys.modules})"

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )

    assert set(done.stdout.split()).intersection(NEVER_LOADED_BY_SERVING) == set()

"""The image of the API gets the folders that the server imports from, and runs with nothing else."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.conftest import REPOSITORY
from tests.test_imports import NEVER_LOADED_BY_SERVING, SHIPPED

IMPORT_ALL = """
import sys
from importlib import import_module

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in sys.argv[1].split(","):
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Missing())
for module in sys.argv[2].split(","):
    import_module(module)
print(sys.modules["src.serving.app"].__file__)
"""


def copied() -> list[Path]:
    """Return what the Dockerfile copies from `src/` for the API."""
    stage = re.search(r"AS serve-code\n(.*?)\nFROM", (REPOSITORY / "Dockerfile").read_text(), flags=re.DOTALL)
    assert stage is not None
    patterns = re.findall(r"^COPY (src/\S+) ", stage[1], flags=re.MULTILINE)
    return [path for pattern in patterns for path in sorted(REPOSITORY.glob(pattern))]


def test_the_folders_of_the_image_are_those_that_serving_may_import_from() -> None:
    folders = {path.name for path in copied() if path.is_dir()}
    modules = {path.stem for path in copied() if path.is_file()}

    assert folders | modules >= SHIPPED
    assert folders - SHIPPED == set()


def test_the_server_runs_from_what_is_copied_without_the_packages_of_the_pipeline(tmp_path: Path) -> None:
    for path in copied():
        target = tmp_path / path.relative_to(REPOSITORY)
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            shutil.copytree(path, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(path, target)
    files = [path.relative_to(tmp_path) for path in tmp_path.rglob("*.py")]
    modules = [
        ".".join(file.with_suffix("").parts)
        for file in files
        if len(file.parts) == 2
        and file.stem in SHIPPED - {"progress"}
        or len(file.parts) > 2
        and file.stem != "__init__"
    ]
    missing = {name for name in NEVER_LOADED_BY_SERVING if name not in ("google", "requests", "redis")}

    done = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL, ",".join(missing), ",".join(sorted(modules))],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )

    assert (done.returncode, done.stdout.strip()) == (0, str(tmp_path / "src/serving/app.py")), done.stderr

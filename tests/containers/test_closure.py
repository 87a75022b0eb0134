import subprocess
import sys
from pathlib import Path

from scripts.closure import closure, main
from tests.conftest import REPOSITORY

PIPELINE = {"data", "evaluation", "quality", "training"}


def test_the_closure_follows_imports_wherever_they_are(tmp_path: Path) -> None:
    files = {
        "src/__init__.py": "",
        "src/door/__init__.py": "",
        "src/door/app.py": "from src import top\n\ndef open():\n    from src.room.late import name\n",
        "src/room/__init__.py": "",
        "src/room/late.py": "import os\nimport src.room.deep\n",
        "src/room/deep.py": "",
        "src/room/unused.py": "",
        "src/top.py": "",
    }
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)

    found = closure(tmp_path, "src.door")

    assert {str(path) for path in found} == files.keys() - {"src/room/unused.py"}


def test_the_server_needs_nothing_of_the_pipeline() -> None:
    found = closure(REPOSITORY, "src.serving")

    assert {path.parts[1] for path in found}.intersection(PIPELINE) == set()
    assert Path("src/promotion/publish.py") not in found
    assert Path("src/export/export.py") not in found


def test_the_server_runs_from_what_is_copied(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(REPOSITORY)
    monkeypatch.setattr(sys, "argv", ["closure.py", "src.serving", str(tmp_path)])

    main()

    modules = sorted(
        ".".join(path.relative_to(tmp_path).with_suffix("").parts) for path in tmp_path.rglob("*.py")
    )
    code = f"import {', '.join(modules)}; print(src.serving.app.__file__)"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (0, str(tmp_path / "src/serving/app.py")), done.stderr

"""Copy a package and every module of ours that it imports, wherever in the file: what an image needs of src/.

python scripts/closure.py src.serving /target
"""

import ast
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path


def closure(root: Path, package: str) -> set[Path]:
    """Return the files, relative to `root`, that `package` consists of or imports from `src`."""
    folder = root / package.replace(".", "/")
    waiting = [f"{package}.{path.stem}" for path in folder.glob("*.py")]
    found: set[Path] = set()
    while waiting:
        path = _file(root, waiting.pop())
        if path is None or path in found:
            continue
        found.add(path)
        found.update(parent / "__init__.py" for parent in path.parents if parent != Path("."))
        waiting.extend(_imported(ast.parse((root / path).read_text(encoding="utf-8"))))
    return found


def _file(root: Path, module: str) -> Path | None:
    """Return the file of `module`; None when it is no module of ours, but a name in one."""
    path = Path(module.replace(".", "/"))
    files = (path / "__init__.py", path.with_suffix(".py"))
    return next((file for file in files if module.startswith("src") and (root / file).is_file()), None)


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def main() -> None:
    package, target = sys.argv[1], Path(sys.argv[2])
    for path in sorted(closure(Path(), package)):
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target / path)


if __name__ == "__main__":
    main()

"""Which version numbers a project has given: a number is never given twice.

The record's database allots them, but a folder may have outlived it, or come without it.
"""

from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ValidationError

from src import paths
from src.bundle.bundle import MANIFEST
from src.config import StoreSettings
from src.store.ledger import read_ledger
from src.store.location import store_folder

BUNDLES = "bundles"


class Version(BaseModel):
    """What a manifest says about where its version's number comes from."""

    name: str
    version: str
    mlflow_run_id: str | None


def last_number(settings: StoreSettings, name: str) -> int:
    """Return the highest number that a bundle of model `name` has in this project and its store; else 0."""
    root = store_folder(settings)
    files = [settings.model_dir / MANIFEST, paths.BUNDLE / MANIFEST, paths.TRAINING]
    known = [version for file in files for version in _read(paths.of_project(file))]
    numbers = [version.version for version in [*known, *kept_versions(root)] if version.name == name]
    # Of a bundle that was deleted, the ledger has the number but not the name.
    numbers += [line.version for line in read_ledger(root) if not (root / line.bundle).exists()]
    return max((int(number) for number in numbers if number.isdecimal()), default=0)


def kept_versions(root: Path) -> Iterator[Version]:
    """Yield the versions of the bundles in the store `root`; what cannot be read is none."""
    for folder in (root / BUNDLES).glob("*"):
        yield from _read(folder / MANIFEST)


def _read(file: Path) -> Iterator[Version]:
    try:
        yield Version.model_validate_json(file.read_bytes())
    except (OSError, ValidationError):
        return

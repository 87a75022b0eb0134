"""The bundle at `models/`, and what is left of it when a command was killed while it replaced it."""

import logging
from pathlib import Path

from src import paths
from src.bundle import bundle as bundles
from src.bundle.bundle import Bundle
from src.config import StoreSettings
from src.disk.folders import recover_folder
from src.errors import BundleError

logger = logging.getLogger(__name__)


def models_folder(settings: StoreSettings) -> Path:
    """Return where the bundle in service lies: MODEL_DIR may be a link."""
    return paths.of_project(settings.model_dir).resolve()


def in_models(settings: StoreSettings) -> Bundle | None:
    """Return the bundle at `models/`; None when there is none, or not a whole one."""
    return _whole(models_folder(settings))


def recover(models: Path) -> bool:
    """Put a whole bundle back to `models` that a killed command left beside it; return whether it did."""
    recovered = recover_folder(models, lambda folder: _whole(folder) is not None)
    if recovered:
        logger.warning("%s: put back what a command left beside it that was killed", models)
    return recovered


def _whole(folder: Path) -> Bundle | None:
    try:
        return bundles.load(bundles.folder_fetch(folder))
    except BundleError:
        return None

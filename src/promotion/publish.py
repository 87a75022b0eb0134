"""Command `publish`: verify a bundle, keep it, and put it into service."""

from pathlib import Path

from src import logs, paths
from src.bundle import bundle as bundles
from src.bundle.bundle import Bundle
from src.cli import Parser
from src.config import StoreSettings, load_store_settings
from src.errors import GateError, exit_on_error
from src.promotion.sealed import read_sealed
from src.promotion.service import open_store, put_in_service
from src.promotion.step import author


def publish(folder: Path, settings: StoreSettings, reason: str | None = None) -> Bundle:
    """Return the bundle in `folder`, which is in service from now on.

    Raises:
        GateError: it missed the gate when it was measured; nothing has changed.
        BundleError: it is not whole, or fails its self-test; nothing has changed.
        RegistryError: the model store cannot be written.
        ConfigError: MLFLOW_TRACKING_URI names nothing to publish to.
    """
    by = author(reason)
    sealed = read_sealed(bundles.folder_fetch(folder))
    if missed := sealed.bundle.metrics.get("gate", {}).get("missed"):
        raise GateError(f"not published: {'; '.join(missed)}")
    with open_store(settings) as store:
        store.add(sealed)
        put_in_service(settings, store, sealed, "publish", by)
    return sealed.bundle


def main() -> None:
    parser = Parser("src.promotion.publish", __doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=paths.BUNDLE, help="default: %(default)s")
    parser.add_argument("--reason", help="kept in the history")
    arguments = parser.parse_args()
    logs.setup()
    publish(arguments.folder, load_store_settings(), arguments.reason)


if __name__ == "__main__":
    exit_on_error(main)

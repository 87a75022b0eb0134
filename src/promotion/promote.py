"""Command `promote`: put a version that was published before into service."""

from src import logs
from src.bundle.bundle import Bundle
from src.cli import Parser
from src.config import StoreSettings, load_store_settings
from src.errors import exit_on_error
from src.promotion.service import open_store, put_in_service
from src.promotion.step import author


def promote(version: str, settings: StoreSettings, reason: str | None = None) -> Bundle:
    """Return the kept bundle of `version`, which is in service from now on.

    Raises:
        RegistryError: there is no such version; the message names those there are.
        BundleError: it is damaged; nothing has changed.
    """
    by = author(reason)
    with open_store(settings) as store:
        sealed = store.find(version)
        put_in_service(settings, store, sealed, "promote", by)
    return sealed.bundle


def main() -> None:
    parser = Parser("src.promotion.promote", __doc__)
    parser.add_argument("version", help="such as 7; a bundle's name where a version has several")
    parser.add_argument("--reason", help="kept in the history")
    arguments = parser.parse_args()
    logs.setup()
    promote(arguments.version, load_store_settings(), arguments.reason)


if __name__ == "__main__":
    exit_on_error(main)

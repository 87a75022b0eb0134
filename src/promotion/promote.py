"""Command `promote`: put a version that was published before into service."""

import argparse

from src import logs
from src.bundle.bundle import Bundle
from src.config import StoreSettings, load_store_settings
from src.errors import exit_on_error
from src.promotion.service import open_store, put_in_service


def promote(version: str, settings: StoreSettings) -> Bundle:
    """Return the kept bundle of `version`, which is in service from now on.

    Raises:
        RegistryError: there is no such version; the message names those there are.
        BundleError: it is damaged; nothing has changed.
    """
    with open_store(settings) as store:
        sealed = store.find(version)
        put_in_service(settings, store, sealed, "promote")
    return sealed.bundle


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m src.promotion.promote", description=__doc__)
    parser.add_argument("version", help="such as 7; a bundle's name where a version has several")
    arguments = parser.parse_args()
    logs.setup()
    promote(arguments.version, load_store_settings())


if __name__ == "__main__":
    exit_on_error(main)

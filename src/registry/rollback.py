"""Command `rollback`: put the previous champion back into service; again, the one before that."""

import argparse

from src import logs
from src.bundle import Bundle
from src.config import StoreSettings, load_store_settings
from src.errors import exit_on_error
from src.registry.service import open_store, put_in_service


def rollback(settings: StoreSettings) -> Bundle:
    """Return the bundle that the champion followed, which is in service from now on.

    Raises:
        RegistryError: no champion came before.
        BundleError: it is damaged; nothing has changed.
    """
    with open_store(settings) as store:
        sealed = store.before_champion()
        put_in_service(settings, sealed, store.return_to)
    return sealed.bundle


def main() -> None:
    argparse.ArgumentParser(prog="python -m src.registry.rollback", description=__doc__).parse_args()
    logs.setup()
    rollback(load_store_settings())


if __name__ == "__main__":
    exit_on_error(main)

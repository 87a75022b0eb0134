"""Command `rollback`: put the previous champion back into service; again, the one before that."""

from src import logs
from src.bundle.bundle import Bundle
from src.cli import Parser
from src.config import StoreSettings, load_store_settings
from src.errors import exit_on_error
from src.promotion.service import open_store, put_in_service
from src.promotion.step import author
from src.store.models import in_models


def rollback(settings: StoreSettings, reason: str | None = None) -> Bundle:
    """Return the bundle that the champion followed, which is in service from now on.

    A rollback that was killed before `models/` followed the champion is ended, and no further one begun.

    Raises:
        RegistryError: no champion came before.
        BundleError: it is damaged; nothing has changed.
    """
    by = author(reason)
    with open_store(settings) as store:
        served = in_models(settings)
        unfinished = served is not None and store.rolled_back_from(served)
        sealed = store.champion() if unfinished else store.before_champion()
        put_in_service(settings, store, sealed, "rollback", by)
    return sealed.bundle


def main() -> None:
    parser = Parser("src.promotion.rollback", __doc__)
    parser.add_argument("--reason", help="kept in the history")
    arguments = parser.parse_args()
    logs.setup()
    rollback(load_store_settings(), arguments.reason)


if __name__ == "__main__":
    exit_on_error(main)

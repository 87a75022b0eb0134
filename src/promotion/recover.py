"""Command `recover`: put `models/` back when a command was killed while it replaced it.

It ends with 0 when there is a bundle at `models/`, and with 1 when there is none to serve.
"""

import sys

from src import logs
from src.bundle import bundle as bundles
from src.cli import Parser
from src.config import load_store_settings
from src.errors import exit_on_error
from src.store.models import models_folder, recover


def main() -> None:
    Parser("src.promotion.recover", __doc__).parse_args()
    logs.setup()
    models = models_folder(load_store_settings())
    recover(models)
    sys.exit(not (models / bundles.MANIFEST).exists())


if __name__ == "__main__":
    exit_on_error(main)

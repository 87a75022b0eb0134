"""The command line of every `python -m src…`: one parser, so that all of them behave alike.

`--help` prints help and does nothing else; an unknown argument is one line and exit code 2.
"""

import argparse
import sys
from typing import NoReturn

from src.errors import UsageError


class Parser(argparse.ArgumentParser):
    """An `ArgumentParser` for the command `python -m <module>`, which `description` says the purpose of."""

    def __init__(self, module: str, description: str | None, **options: object) -> None:
        super().__init__(
            prog=f"python -m {module}",
            description=description,
            allow_abbrev=False,
            **options,  # type: ignore[arg-type]
        )

    def error(self, message: str) -> NoReturn:
        """Exit as any other mistake of the caller does."""
        print(f"error: {message}; see {self.prog} --help", file=sys.stderr)
        sys.exit(UsageError.exit_code)

"""The project's errors: what went wrong, and whose fault it is."""

import sys
from collections.abc import Callable


class MlopsError(Exception):
    """A failure with a one-line message for the person who ran the command."""

    exit_code = 1


class UsageError(MlopsError):
    """The caller can mend it: an argument, a setting or a table is wrong."""

    exit_code = 2


class ConfigError(UsageError):
    """`params.yaml` or the environment holds a missing, unknown or impossible value."""


class DataError(UsageError):
    """A table does not hold what its schema or the parameters say."""


class ExportError(UsageError):
    """A fitted step has no exact ONNX form."""


class ParityError(MlopsError):
    """The exported model does not answer as scikit-learn does."""


class BundleError(MlopsError):
    """A bundle is missing, damaged or not what its manifest says: it must not be served."""

    digest: str | None = None  # of the file that is malformed, where nothing else tells two of them apart


class RegistryError(MlopsError):
    """The model store or the MLflow record cannot be read or written."""


class GateError(MlopsError):
    """The candidate is not good enough to be published."""

    exit_code = 3


class RejectedError(MlopsError):
    """More rows of a file were no valid rows than may be; the others were scored."""

    exit_code = 3


def exit_on_error(main: Callable[[], None]) -> None:
    """Run `main`; a known failure becomes one line on stderr and its exit code.

    What the system refuses (a full disk, a missing right) is known too: it says all there is to mend.
    """
    try:
        main()
    except MlopsError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print(f"error: {where}{error.strerror or error}", file=sys.stderr)
        sys.exit(MlopsError.exit_code)

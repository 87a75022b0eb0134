"""The connection to MLflow: quiet, on nobody's network but the tracking server's, and quick to give up."""

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from src.config import StoreSettings
from src.disk.lock import folder_locked
from src.errors import RegistryError
from src.store.location import DATABASE_FILE, locate, store_folder, tracking_uri
from src.validation import without_credentials

if TYPE_CHECKING:
    from mlflow import MlflowClient

# MLflow takes these from the environment and from nowhere else; what the user has set stays.
_ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",  # read when mlflow is imported
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",  # the default notices a dead server after four minutes
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",  # seconds
}

_USER, _PASSWORD, _TOKEN = "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN"
_NETRC = "NETRC"  # where requests looks for passwords


@contextmanager
def connected(settings: StoreSettings) -> Iterator["MlflowClient"]:
    """Give a client of the record; a failure inside becomes one line.

    Raises:
        ConfigError: MLFLOW_TRACKING_URI names nothing that can be recorded in.
        RegistryError: MLflow cannot be reached, or refuses what is asked.
    """
    uri = tracking_uri(settings)
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    logging.getLogger("mlflow").setLevel(logging.CRITICAL)  # failures are raised, the rest is chatter
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # MLflow's advice on types and on its own deprecations
            if locate(settings).kind == "server":
                with _credentials(settings):
                    yield MlflowClient(tracking_uri=uri, registry_uri=uri)
            else:
                with _alone_with(uri, settings):
                    yield MlflowClient(tracking_uri=uri, registry_uri=uri)
    except (MlflowException, SQLAlchemyError, ImportError, OSError) as error:
        raise RegistryError(f"MLflow at {without_credentials(uri)}: {_one_line(error)}") from error


def has_database(settings: StoreSettings) -> bool:
    """Return whether there is a record: connecting to a folder without one would make it."""
    location = locate(settings)
    return location.kind != "folder" or (Path(location.address) / DATABASE_FILE).exists()


@contextmanager
def _credentials(settings: StoreSettings) -> Iterator[None]:
    """Let MLflow send what the settings hold, which it takes from the environment only, and nothing else."""
    user, password = settings.mlflow_tracking_username, settings.mlflow_tracking_password
    token = settings.mlflow_tracking_token
    given = {}
    if user and password:
        given = {_USER: user, _PASSWORD: password.get_secret_value()}
    elif token:
        given = {_TOKEN: token.get_secret_value()}
    if given:
        given[_NETRC] = os.devnull  # or a password in ~/.netrc takes their place
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def _alone_with(uri: str, settings: StoreSettings) -> Iterator[None]:
    """Open the database, and keep others out: MLflow makes its tables, and gives numbers, without a lock.

    It fails at once when there is no way in: MLflow itself tries ten times, for minutes.
    """
    from sqlalchemy import create_engine
    from sqlalchemy.engine import make_url
    from sqlalchemy.pool import NullPool

    url = make_url(uri)
    folder = store_folder(settings)
    if url.get_backend_name() == "sqlite" and url.database:
        folder = Path(url.database).absolute().parent
    folder.mkdir(parents=True, exist_ok=True)
    with folder_locked(folder):
        create_engine(url, poolclass=NullPool).connect().close()
        yield


def _one_line(error: Exception) -> str:
    text = without_credentials(" ".join(str(error).split()))
    if "Max retries exceeded" in text or "Timed out" in text:
        return "cannot be reached"
    return text if len(text) <= 300 else f"{text[:300]}…"

"""Where MLFLOW_TRACKING_URI points: to a folder, an MLflow server, a database or a bucket."""

from pathlib import Path
from typing import Literal, NamedTuple
from urllib.parse import unquote, urlsplit

from src import paths
from src.config import StoreSettings
from src.errors import ConfigError
from src.validation import without_credentials

DATABASES = ("mssql", "mysql", "postgresql", "sqlite")
DATABASE_FILE = "mlflow.db"
ARTIFACTS = "artifacts"


class Location(NamedTuple):
    """Where models are kept."""

    kind: Literal["folder", "server", "database", "bucket"]
    address: str  # a path, or the URI as it was given


def locate(settings: StoreSettings) -> Location:
    """Return where models are kept; unset means the folder `mlruns`.

    Raises:
        ConfigError: MLFLOW_TRACKING_URI is none of the kinds we know.
    """
    uri = settings.mlflow_tracking_uri
    if uri is None:
        return Location("folder", str(paths.of_project(paths.MLRUNS)))
    parts = urlsplit(uri)
    if "://" not in uri and parts.scheme != "file":
        return Location("folder", str(paths.of_project(Path(uri))))
    if parts.scheme == "file" and not parts.netloc:
        return Location("folder", str(paths.of_project(Path(unquote(parts.path)))))
    if parts.scheme in ("http", "https") and parts.hostname:
        return Location("server", uri.rstrip("/"))
    if parts.scheme == "gs" and parts.netloc:
        return Location("bucket", uri)
    if parts.scheme.partition("+")[0] in DATABASES:
        return Location("database", _of_project(uri))
    raise ConfigError(
        f"MLFLOW_TRACKING_URI: {without_credentials(uri)} is not a folder, file:///folder, http(s)://server,"
        f" gs://bucket/prefix or a database ({', '.join(DATABASES)})"
    )


def store_folder(settings: StoreSettings) -> Path:
    """Return the model store on disk: the folder that is named, else the local `mlruns`."""
    location = locate(settings)
    return Path(location.address) if location.kind == "folder" else paths.of_project(paths.MLRUNS)


def tracking_uri(settings: StoreSettings) -> str:
    """Return the URI that MLflow itself is given.

    Raises:
        ConfigError: a bucket is a source of models only, nothing can be recorded in it.
    """
    location = locate(settings)
    if location.kind == "bucket":
        raise ConfigError(
            f"MLFLOW_TRACKING_URI: {location.address} is only a source to serve from; to train and publish,"
            " name a folder, a database or an MLflow server, or unset it"
        )
    if location.kind == "folder":
        file = str((Path(location.address) / DATABASE_FILE).resolve())
        # SQLAlchemy decodes the path, but MLflow makes the parent folder of the undecoded one:
        # so only what would end the path or be decoded is written in code, not spaces.
        return "sqlite:///" + file.replace("%", "%25").replace("?", "%3F")
    return location.address


def _of_project(uri: str) -> str:
    """Return `uri` with the file of a SQLite database where it lies in the project."""
    scheme, _, file = uri.partition(":///")
    if not (scheme.startswith("sqlite") and file) or file.startswith((":", "/")):
        return uri
    return f"{scheme}:///{paths.of_project(Path(file))}"

"""The versions of a registered model, whose numbers are never given twice."""

from typing import TYPE_CHECKING, Any

from src.config import StoreSettings
from src.errors import RegistryError
from src.store.location import locate
from src.store.numbers import last_number

if TYPE_CHECKING:
    from mlflow import MlflowClient

MOST_PASSED_OVER = 1000  # numbers of a record that was lost


def create_version(client: "MlflowClient", settings: StoreSettings, name: str, model: Any) -> int:
    """Return the number of a new version of `name`, which is the logged `model`.

    MLflow takes the number after those its database knows. Where bundles here have higher ones, because the
    database was lost, what it gives is deleted again until it is past them: MLflow never gives those anew.

    Raises:
        RegistryError: they are too many for that.
    """
    _ensure_registered(client, name)
    # A server's numbers are its own, and so are its bundles.
    last = 0 if locate(settings).kind == "server" else last_number(settings, name)
    while True:
        # Not `models:/…`: a database's store would look for it in the process-wide tracking URI.
        version = client.create_model_version(
            name, model.artifact_location, model.source_run_id, model_id=model.model_id
        )
        number = int(version.version)
        if number > last:
            return number
        client.delete_model_version(name, version.version)
        if last - number > MOST_PASSED_OVER:
            raise RegistryError(
                f"a bundle here is {name} version {last}, and the record goes up to {number}: bring back the"
                " database it was recorded in, or move the bundle away"
            )


def _ensure_registered(client: "MlflowClient", name: str) -> None:
    from mlflow.exceptions import MlflowException

    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise

"""The experiment that runs are recorded in: found, restored, put aside or made."""

import logging
from typing import TYPE_CHECKING, Any

from src.config import StoreSettings
from src.store.location import ARTIFACTS, locate, store_folder
from src.validation import without_credentials

if TYPE_CHECKING:
    from mlflow import MlflowClient

logger = logging.getLogger(__name__)

DELETED = "deleted"  # MLflow's word for what its pages no longer show
# What MLflow's pages show of an experiment: runs with their metrics, instead of traces of language models.
KIND_TAG, KIND = "mlflow.experimentKind", "custom_model_development"


def experiment_id_of(client: "MlflowClient", settings: StoreSettings, name: str) -> str:
    """Return the id of experiment `name`; artifacts of a database without a server lie in our folder."""
    location = None
    if locate(settings).kind != "server":
        location = (store_folder(settings) / ARTIFACTS).resolve().as_uri()
    known = client.get_experiment_by_name(name)
    if known is not None:
        restore_experiment(client, known)
    if known is not None and location is not None and known.artifact_location != location:
        # MLflow keeps absolute paths: in a folder that was moved it would write to where it came from.
        aside = f"{name} before {known.experiment_id}"
        client.rename_experiment(known.experiment_id, aside)
        logger.warning(
            "experiment %s has its artifacts in %s, it is now called %r",
            name,
            without_credentials(known.artifact_location),
            aside,
        )
        known = None
    if known is not None:
        if KIND_TAG not in known.tags:
            client.set_experiment_tag(known.experiment_id, KIND_TAG, KIND)
        return str(known.experiment_id)
    return _create_experiment(client, name, location)


def _create_experiment(client: "MlflowClient", name: str, location: str | None) -> str:
    from mlflow.exceptions import MlflowException

    try:
        return str(client.create_experiment(name, artifact_location=location, tags={KIND_TAG: KIND}))
    except MlflowException as error:
        made = client.get_experiment_by_name(name)
        if error.error_code != "RESOURCE_ALREADY_EXISTS" or made is None:
            raise
        return str(made.experiment_id)  # another training of the same server was faster


def restore_experiment(client: "MlflowClient", experiment: Any) -> None:
    """MLflow records nothing in a deleted experiment, and keeps its name: no new one can take its place."""
    if experiment.lifecycle_stage == DELETED:
        client.restore_experiment(experiment.experiment_id)
        logger.warning("experiment %s was deleted in MLflow: it is restored", experiment.name)

"""Browse the runs and model versions of this project in MLflow's web interface."""

import os
import sys

from src.cli import Parser
from src.config import StoreSettings, load_store_settings
from src.errors import exit_on_error
from src.params import load_params
from src.progress import step
from src.store.location import locate, tracking_uri
from src.tracking.client import connected
from src.validation import without_credentials

PORT = 5000
VIEW = "?workflowType=machine_learning"  # MLflow's pages are about language models otherwise


def page(settings: StoreSettings, experiment: str, base: str) -> str:
    """Return the address below `base` of the page with the runs of `experiment`; without one, of all."""
    with connected(settings) as client:
        known = client.get_experiment_by_name(experiment)
    return f"{base}/#/experiments" + ("" if known is None else f"/{known.experiment_id}/runs") + VIEW


def main() -> None:
    parser = Parser("src.tracking.ui", __doc__)
    parser.add_argument("--port", type=int, default=PORT, help="default: %(default)s")
    port = parser.parse_args().port
    settings = load_store_settings()
    is_server = locate(settings).kind == "server"
    base = without_credentials(tracking_uri(settings)) if is_server else f"http://localhost:{port}"
    with step("looking for the runs"):
        address = page(settings, load_params().data.name, base)
    print(f"runs:   {address}\nmodels: {base}/#/models{VIEW}", flush=True)
    if not is_server:
        os.environ.setdefault("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false")  # jobs of its assistants: 1.5 GB
        command = ["-m", "mlflow", "ui", "--backend-store-uri", tracking_uri(settings), "--port", str(port)]
        os.execv(sys.executable, [sys.executable, *command])


if __name__ == "__main__":
    exit_on_error(main)

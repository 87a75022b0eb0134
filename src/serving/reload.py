"""Ask the server on this machine to look for a newer model now: its port is PORT, its key API_KEY."""

from http.client import HTTPConnection, HTTPException

from src.cli import Parser
from src.config import load_settings
from src.errors import RegistryError, exit_on_error
from src.serving.auth import HEADER
from src.serving.healthcheck import hosts
from src.serving.models import ProblemDetails, Reloaded
from src.serving.routes import RELOAD_SECONDS

PATH = "/model/reload"


def ask(port: int, key: str | None) -> Reloaded:
    """Return what the server answers.

    Raises:
        RegistryError: there is no server, or it has no newer model to give and says why.
    """
    for host in hosts():
        connection = HTTPConnection(host, port, timeout=RELOAD_SECONDS + 10)
        try:
            connection.connect()
        except OSError:  # not there: perhaps at the next
            continue
        try:
            connection.request("POST", PATH, headers={HEADER: key} if key else {})
            response = connection.getresponse()
            if response.status == 200:
                return Reloaded.model_validate_json(response.read())
            said = ProblemDetails.model_validate_json(response.read()).detail
        except (OSError, HTTPException, ValueError) as error:
            raise RegistryError(f"port {port}: no answer that is ours ({type(error).__name__})") from error
        finally:
            connection.close()
        raise RegistryError(f"port {port}: {response.status}, {said}")
    raise RegistryError(f"port {port}: no server listens there; PORT names another port")


def main() -> None:
    parser = Parser("src.serving.reload", __doc__)
    parser.parse_args()
    settings = load_settings()
    answer = ask(settings.port, settings.api_key[0].get_secret_value() if settings.api_key else None)
    print(f"{answer.name} version {answer.version} is in service{'' if answer.changed else ', as before'}")


if __name__ == "__main__":
    exit_on_error(main)

"""An MLflow server read over its REST API, so that serving needs no MLflow."""

import time
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote, urlsplit

from pydantic import BaseModel, Field, SecretStr, TypeAdapter, ValidationError

from src.bundle import bundle as bundles
from src.bundle.limits import MAX_NAME, Digest, Name
from src.config import StoreSettings
from src.documents import read_json
from src.errors import BundleError, RegistryError
from src.store.bucket import BucketFiles
from src.store.files import Files, fetch_from
from src.store.location import locate
from src.validation import shown, without_credentials

if TYPE_CHECKING:
    from requests import PreparedRequest, Response, Session

ALIAS = "champion"
DIGEST_TAG = "bundle_digest"  # on the model version: SHA-256 of the bundle's manifest
TIMEOUT = (5, 30)  # seconds to connect, to wait for the next bytes
TOTAL_SECONDS = 300.0  # for one answer, however steadily it drips
MAX_ANSWER = 16 * 2**20  # bytes of JSON
CHUNK = 2**16
MOST_PAGES = 50  # of registered models

Uri = Annotated[str, Field(max_length=MAX_NAME)]


def bundle_folder(digest: str) -> str:
    """Return where a bundle lies among its run's artifacts: a new bundle never overwrites an old one."""
    return f"bundle/{digest[:12]}"


class ModelVersion(BaseModel):
    """A version of a registered model, as far as we read it."""

    class Tag(BaseModel):
        key: str
        value: str

    name: Name
    version: Name
    run_id: str = Field("", max_length=MAX_NAME)
    tags: tuple[Tag, ...] = ()

    def tag(self, key: str) -> str | None:
        """Return the value of the tag `key`; None when it has none."""
        return next((tag.value for tag in self.tags if tag.key == key), None)

    @property
    def digest(self) -> str:
        """The digest of its bundle; BundleError when none was published."""
        try:
            return TypeAdapter(Digest).validate_python(self.tag(DIGEST_TAG))
        except ValidationError as error:
            raise BundleError(
                f"{self.name} version {self.version} has no published bundle (tag {DIGEST_TAG})"
            ) from error


class RegisteredModel(BaseModel):
    """A registered model, as far as we read it."""

    class Alias(BaseModel):
        alias: str

    name: Name
    aliases: tuple[Alias, ...] = ()


class Server:
    """The registry and the artifacts of an MLflow server."""

    def __init__(self, settings: StoreSettings) -> None:
        self._settings = settings
        self._url = locate(settings).address
        self.description = without_credentials(self._url)

    def champion(self, name: str) -> ModelVersion | None:
        """Return the version of model `name` that has the alias; None when there is none."""
        return self._version("registered-models/alias", {"name": name, "alias": ALIAS})

    def with_champion(self) -> list[str]:
        """Return the names of the models of which a version has the alias, sorted."""
        found: list[str] = []
        page = ""
        for _ in range(MOST_PAGES):
            answer = self._ask("registered-models/search", {"max_results": "200", "page_token": page}) or {}
            try:
                models = TypeAdapter(list[RegisteredModel]).validate_python(
                    answer.get("registered_models", [])
                )
                page = TypeAdapter(str).validate_python(answer.get("next_page_token", ""))
            except ValidationError as error:
                raise RegistryError(f"{self.description}: its answer is not a list of models") from error
            found += [one.name for one in models if any(known.alias == ALIAS for known in one.aliases)]
            if not page:
                break
        return sorted(found)

    def version(self, name: str, version: str) -> ModelVersion | None:
        """Return that version of model `name`; None when there is none."""
        return self._version("model-versions/get", {"name": name, "version": version})

    def fetch(self, run_id: str, digest: str) -> bundles.Fetch:
        """Return a `Fetch` of the bundle with that digest among the artifacts of that run."""
        return fetch_from(self._artifacts(run_id), bundle_folder(digest))

    def _version(self, endpoint: str, params: Mapping[str, str]) -> ModelVersion | None:
        answer = self._ask(endpoint, params)
        if answer is None:
            return None
        try:
            return ModelVersion.model_validate(answer.get("model_version"))
        except ValidationError as error:
            raise RegistryError(f"{self.description}: its answer is not a model version") from error

    def _artifacts(self, run_id: str) -> Files:
        answer = self._ask("runs/get", {"run_id": run_id})
        try:
            uri = TypeAdapter(Uri).validate_python((answer or {})["run"]["info"]["artifact_uri"])
            parts = urlsplit(uri)
        except (KeyError, TypeError, ValidationError) as error:
            raise RegistryError(f"{self.description}: no run {run_id!r}") from error
        except ValueError as error:  # such as an address that is none
            raise RegistryError(f"{self.description}: run {run_id} has its artifacts at no URI") from error
        if parts.scheme == "gs" and parts.netloc:
            return BucketFiles(uri)
        if parts.scheme == "mlflow-artifacts" and not parts.netloc:
            return _ProxiedFiles(self, parts.path.strip("/"))
        raise RegistryError(
            f"{self.description}: run {run_id} has its artifacts at {without_credentials(uri)};"
            " serving reads them through the server (mlflow server --serve-artifacts) or from gs://"
        )

    def _ask(self, endpoint: str, params: Mapping[str, str]) -> dict[str, Any] | None:
        """Return the answer of the API; None when what is asked for does not exist."""
        path = f"api/2.0/mlflow/{endpoint}"
        with self._get(path, params) as response:
            content = self._content(response, MAX_ANSWER)
            try:
                answer = read_json("the answer", content)
            except BundleError:
                answer = None
            if not isinstance(answer, dict):
                answer = {}
            code = answer.get("error_code")
            # For an alias nobody has set, the server speaks of an invalid parameter.
            if code == "RESOURCE_DOES_NOT_EXIST" or (
                code == "INVALID_PARAMETER_VALUE" and f"alias {ALIAS} not found" in str(answer.get("message"))
            ):
                return None
            if not response.ok or (not answer and content.strip() != b"{}"):
                reason = shown(str(code)) if code else "an answer that is not MLflow's"
                raise RegistryError(f"{self.description}: {response.status_code}, {reason}")
            return answer

    def read_artifact(self, path: str, limit: int) -> bytes | None:
        with self._get(f"api/2.0/mlflow-artifacts/artifacts/{quote(path)}", {}) as response:
            if response.status_code == 404:
                return None
            if not response.ok:
                raise RegistryError(f"{self.description}: {response.status_code} for artifact {path}")
            return self._content(response, limit)

    def _get(self, path: str, params: Mapping[str, str]) -> "Response":
        from requests import RequestException

        try:
            return self._session.get(f"{self._url}/{path}", params=params, timeout=TIMEOUT, stream=True)
        except RequestException as error:
            raise RegistryError(f"{self.description}: cannot be reached ({type(error).__name__})") from error

    def _content(self, response: "Response", limit: int) -> bytes:
        from urllib3.exceptions import HTTPError

        deadline = time.monotonic() + TOTAL_SECONDS
        content = bytearray()
        try:
            while chunk := response.raw.read1(CHUNK, decode_content=True):  # what has come, not all of it
                content += chunk
                if len(content) > limit:
                    raise BundleError(f"{self.description}: an answer is larger than {limit} bytes")
                if time.monotonic() > deadline:
                    raise RegistryError(f"{self.description}: gave no whole answer in {TOTAL_SECONDS:g} s")
        except HTTPError as error:
            raise RegistryError(f"{self.description}: broke off ({type(error).__name__})") from error
        return bytes(content)

    @cached_property
    def _session(self) -> "Session":
        from requests import Session

        session = Session()
        settings = self._settings
        user, password = settings.mlflow_tracking_username, settings.mlflow_tracking_password
        if user and password:
            session.auth = (user, password.get_secret_value())
        elif settings.mlflow_tracking_token:
            session.auth = _bearer(settings.mlflow_tracking_token)
        return session


def _bearer(token: SecretStr) -> "Callable[[PreparedRequest], PreparedRequest]":
    """Return what sends `token`: requests replaces a mere header by a password it finds in `~/.netrc`."""

    def send(request: "PreparedRequest") -> "PreparedRequest":
        request.headers["Authorization"] = f"Bearer {token.get_secret_value()}"
        return request

    return send


class _ProxiedFiles:
    """The artifacts of one run, through the server."""

    def __init__(self, server: Server, root: str) -> None:
        self.description = f"{server.description} {root}"
        self._server = server
        self._root = root

    def read(self, name: str, limit: int) -> bytes | None:
        return self._server.read_artifact(f"{self._root}/{name}", limit)

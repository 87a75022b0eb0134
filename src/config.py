"""The two configurations: `Params`, what is trained, and `Settings`, where we run."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from src import paths
from src.errors import ConfigError
from src.schema.cells import MISSING, CellRule
from src.setting_types import Bytes, CommaSeparated, Keys, Limit, LimitStorage, Seconds
from src.strict_model import StrictModel

MIN_KEY_LENGTH = 32
SECRETS = Path("/run/secrets")  # where Docker and Compose mount a file for each secret
ModelKind = Literal["random_forest", "extra_trees", "logistic_regression"]


def _check_range(value: tuple[float, float]) -> tuple[float, float]:
    if not (math.isfinite(value[0]) and math.isfinite(value[1])):
        raise ValueError("both ends must be finite numbers")
    if not value[0] <= value[1]:
        raise ValueError("the lowest comes first")
    return value


def _check_word(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError("each is a text, write it in quotes")
    return value


Word = Annotated[str, BeforeValidator(_check_word)]
Range = Annotated[tuple[float, float], Field(strict=False), AfterValidator(_check_range)]


class DataParams(StrictModel):
    """The table, what its cells mean, its target and how it is split."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    source: str = Field(min_length=1)
    target: str = Field(min_length=1)
    drop: tuple[str, ...] = Field(strict=False)
    ranges: dict[str, Range]
    text: tuple[Word, ...] = Field((), strict=False)
    missing: tuple[Word, ...] | None = Field(None, strict=False)
    strip: bool = True
    test_size: float = Field(gt=0, lt=1)
    random_state: int = Field(ge=0, lt=2**32)

    @property
    def raw(self) -> Path:
        """The table as `prepare` read it."""
        return paths.RAW / f"{self.name}.csv"

    @property
    def cells(self) -> CellRule:
        """What texts mean; an empty one, in any case, that there is no value."""
        words = MISSING if self.missing is None else self.missing
        return CellRule(tuple(dict.fromkeys(("", *words))), self.strip)

    @property
    def model_name(self) -> str:
        """The name in the model registry: `iris` becomes `IrisClassifier`."""
        return "".join(word.capitalize() for word in self.name.split("_")) + "Classifier"

    @model_validator(mode="after")
    def _refuse_the_snapshot_as_source(self) -> Self:
        if Path(self.source) == self.raw:
            raise ValueError(
                f"source {self.source} is the file prepare writes; keep your table elsewhere, in data/"
            )
        return self


class TrainParams(StrictModel):
    """The model and its size."""

    model: ModelKind
    n_estimators: int = Field(ge=1, le=10_000)
    max_depth: int | None = Field(ge=1, le=1_000)


class EvaluateParams(StrictModel):
    """The gate: what a model must reach to be published."""

    min_accuracy: float = Field(ge=0, le=1)
    beat_baseline_by: float = Field(ge=0, le=1)


class Params(StrictModel):
    """`params.yaml`, whole: a missing key is an error, so the file is all there is to know."""

    data: DataParams
    train: TrainParams
    evaluate: EvaluateParams


def load_params(path: Path = paths.PARAMS, overrides: Mapping[str, Any] | None = None) -> Params:
    """Return the parameters in `path`, with `overrides` such as {"train.max_depth": None} in their place.

    Raises:
        ConfigError: names the key, what it was and what is allowed.
    """
    import yaml  # the serving environment has no YAML parser and needs none

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: needs the sections {', '.join(Params.model_fields)}")
    for key, value in (overrides or {}).items():
        section, name = key.split(".")
        if isinstance(content.get(section), dict):
            content[section][name] = value
    try:
        return Params.model_validate(content)
    except ValidationError as error:
        raise ConfigError(_first_problem(error, f"{path}: ")) from error


class StoreSettings(BaseSettings):
    """Where models are kept: all that the pipeline's commands need of the environment."""

    model_config = SettingsConfigDict(
        env_ignore_empty=True, frozen=True, hide_input_in_errors=True, validate_default=True
    )

    model_dir: Path = Field(
        paths.MODELS, description="the bundle to serve, unless MLFLOW_TRACKING_URI names a source"
    )
    mlflow_tracking_uri: str | None = Field(
        None,
        description="where models come from: an MLflow server (http), or a model store (folder or gs://)",
    )
    model_name: str = Field(
        "IrisClassifier", description="the registered model whose champion an MLflow server gives"
    )
    mlflow_tracking_username: str | None = Field(None, description="user of the MLflow server")
    mlflow_tracking_password: SecretStr | None = Field(None, description="that user's password")
    mlflow_tracking_token: SecretStr | None = Field(
        None, description="bearer token for the MLflow server, instead of a user and password"
    )


class Settings(StoreSettings):
    """What changes between deployments; read once, from the environment and the files in `SECRETS`."""

    environment: Literal["development", "production"] = Field(
        "development", description="`production` refuses to start when it is not locked down"
    )
    api_key: Keys = Field(
        (), description="keys a caller may send in `X-API-Key`, comma-separated for rotation"
    )
    cors_origins: CommaSeparated = Field(
        (), description="origins whose pages may call the API, comma-separated"
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="least level that is logged"
    )

    model_refresh_seconds: Seconds = Field(
        10, ge=0.001, le=7 * 24 * 3600, description="how often the source is asked for a newer model"
    )

    host: str = Field("127.0.0.1", description="address to listen on; `::` is every one, IPv4 too")
    port: int = Field(8000, ge=0, le=65535, description="port to listen on; 0 takes a free one")
    workers: int = Field(1, ge=1, le=64, description="server processes")
    forwarded_allow_ips: CommaSeparated = Field(
        (), description="proxies whose X-Forwarded-For counts, addresses or networks, comma-separated"
    )
    drain_seconds: Seconds = Field(
        1,
        ge=0,
        le=3600,
        description="how long readiness says 503 before connections close, once told to stop",
    )
    shutdown_seconds: int = Field(
        30, ge=1, le=3600, description="how long requests in flight may take once told to stop"
    )
    max_body_bytes: Bytes = Field(64 * 1024, description="larger bodies are refused before they are parsed")
    batch_max_rows: int = Field(1000, ge=1, le=100_000, description="rows one `/predict/batch` may hold")
    batch_max_body_bytes: Bytes = Field(2**20, description="the same as MAX_BODY_BYTES, for batches")

    rate_limit_storage: LimitStorage = Field(
        "memory://",
        description="where limits are counted; redis://host:6379 shares them over workers and replicas",
    )
    rate_limit_health: Limit = Field("30/minute", description="`/health`, per client")
    rate_limit_predict: Limit = Field("10/minute", description="`/predict`, per client")
    rate_limit_predict_batch: Limit = Field("10/minute", description="`/predict/batch`, per client")
    rate_limit_model_info: Limit = Field("20/minute", description="`/model/info`, per client")
    rate_limit_wrong_key: Limit = Field("10/minute", description="wrong keys, per address")

    @model_validator(mode="after")
    def _refuse_open_production(self) -> Self:
        if self.environment != "production":
            return self
        if not self.api_key:
            raise ValueError("API_KEY is required in production; make one with: openssl rand -hex 32")
        if any(len(key.get_secret_value()) < MIN_KEY_LENGTH for key in self.api_key):
            raise ValueError(f"API_KEY: each key needs at least {MIN_KEY_LENGTH} characters in production")
        if not self.cors_origins:
            raise ValueError(
                "CORS_ORIGINS is required in production: the origins that may call, comma-separated"
            )
        if {"*", "null"} & set(self.cors_origins) or any("*" in origin for origin in self.cors_origins):
            raise ValueError("CORS_ORIGINS: * and null are not allowed in production; name each origin")
        return self


def load_settings() -> Settings:
    """Return the settings of the server.

    Raises:
        ConfigError: names the variable and what is allowed; never shows a value that could be a secret.
    """
    return _from_environment(Settings)


def load_store_settings() -> StoreSettings:
    """Return the settings of a command of the pipeline; raises as `load_settings` does."""
    return _from_environment(StoreSettings)


S = TypeVar("S", bound=StoreSettings)


def _from_environment(kind: type[S]) -> S:
    try:
        return kind(_secrets_dir=SECRETS if SECRETS.is_dir() else None)
    except ValidationError as error:
        raise ConfigError(_first_problem(error, "", upper=True)) from error
    except SettingsError as error:  # the file of a secret cannot be read
        raise ConfigError(str(error.__cause__ or error)) from error


def _first_problem(error: ValidationError, prefix: str, upper: bool = False) -> str:
    """Return one line: where, what is allowed, and (unless hidden) what it was."""
    problem = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in _location(problem["loc"]))
    where = where.upper() if upper else where
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "extra_forbidden":
        message = "unknown key"
    elif problem["type"] == "missing":
        message = "missing"
    elif not upper and not isinstance(problem["input"], dict):
        message = f"{message}, was {problem['input']!r}"
    return f"{prefix}{where}: {message}" if where else f"{prefix}{message}"


def _location(loc: Sequence[int | str]) -> list[int | str]:
    """Return `loc` without the parts pydantic adds for the members of a union."""
    return [part for part in loc if part not in ("function-before", "function-after")]

"""Where we run: the settings of a deployment and of the commands, read here alone."""

import os
import re
from pathlib import Path
from typing import Literal, Self, TypeVar

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from src import paths
from src.errors import ConfigError
from src.setting_types import Bytes, CommaSeparated, Keys, Limit, LimitStorage, Seconds, WholeSeconds
from src.validation import Problem, allowed, first_problem, meant, shown

MIN_KEY_LENGTH = 32
SECRETS = Path("/run/secrets")  # where Docker and Compose mount a file for each secret


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
    model_name: str | None = Field(
        None,
        description="the registered model whose champion an MLflow server gives; unset: the only one that has"
        " a champion, and for the commands the one that params.yaml names",
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
        (), description="origins whose pages may call the API, comma-separated; none: all, in development"
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="least level that is logged"
    )

    model_refresh_seconds: Seconds = Field(
        10, ge=0.001, le=7 * 24 * 3600, description="how often the source is asked for a newer model"
    )

    pages: Literal["on", "off"] = Field("on", description="the model page at `/`, `/docs` and `/redoc`")
    grafana_url: str | None = Field(None, description="where the model page links to Grafana")
    prometheus_url: str | None = Field(None, description="where the model page links to Prometheus")
    mlflow_url: str | None = Field(None, description="where the model page links to MLflow")

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
    shutdown_seconds: WholeSeconds = Field(
        30, ge=1, le=3600, description="how long requests in flight may take once told to stop"
    )
    max_body_bytes: Bytes = Field(64 * 1024, description="larger bodies are refused before they are parsed")
    batch_max_rows: int = Field(1000, ge=1, le=100_000, description="rows one `/predict/batch` may hold")
    batch_max_body_bytes: Bytes = Field(2**20, description="the same as MAX_BODY_BYTES, for batches")

    drift_features: int = Field(
        200,
        ge=0,
        le=10_000,
        description="features watched for drift, of the most important columns; up to 46 series each",
    )
    rate_limit_storage: LimitStorage = Field(
        "memory://",
        description="where limits are counted; redis://host:6379 shares them over workers and replicas",
    )
    rate_limit_health: Limit = Field("30/minute", description="`/health`, per client")
    rate_limit_predict: Limit = Field("10/minute", description="`/predict`, per client")
    rate_limit_predict_batch: Limit = Field("10/minute", description="`/predict/batch`, per client")
    rate_limit_model_info: Limit = Field("20/minute", description="`/model/info`, per client")
    rate_limit_wrong_key: Limit = Field("10/minute", description="wrong keys, per address")

    @field_validator("cors_origins")
    @classmethod
    def _check_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            if origin not in ("*", "null") and not re.fullmatch(r"[a-z][a-z0-9+.-]*://[^/\s]+", origin):
                raise ValueError(f"{shown(origin)}: write an origin as https://app.example, without a path")
        return origins

    @field_validator("grafana_url", "prometheus_url", "mlflow_url")
    @classmethod
    def _check_link(cls, url: str | None) -> str | None:
        if url is not None and not re.match(r"https?://[^/\s]", url):
            raise ValueError("must be an address such as https://grafana.example")
        return url

    @property
    def allowed_origins(self) -> tuple[str, ...]:
        """The origins whose pages may call the API: all of them, unless they are named."""
        return self.cors_origins or ("*",)

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


def near_misses() -> list[str]:
    """Return what is set in the environment and is nearly, but not, one of our variables, a line each."""
    known = [name.upper() for name in Settings.model_fields]
    near = {name: meant(name, known) for name in sorted(os.environ) if name.isupper() and name not in known}
    return [f"{name} is set, and is no setting{hint}" for name, hint in near.items() if hint]


def _explain(kind: type[StoreSettings], problem: Problem) -> str:
    """Return one line: the variable, what is allowed, and what it was unless that may be secret."""
    what = allowed(kind, problem)
    variable = tuple(str(part).upper() for part in problem.place)
    if what is None:
        said = str(problem._replace(place=variable))
        return said + "".join(f"; {line}" for line in near_misses()) if " is required " in said else said
    return f"{'.'.join(variable)}: {shown(str(problem.found))}; allowed: {what}"


S = TypeVar("S", bound=StoreSettings)


def _from_environment(kind: type[S]) -> S:
    try:
        return kind(_secrets_dir=SECRETS if SECRETS.is_dir() else None)
    except ValidationError as error:
        raise ConfigError(_explain(kind, first_problem(error))) from error
    except SettingsError as error:  # the file of a secret cannot be read
        raise ConfigError(str(error.__cause__ or error)) from error

import errno
from pathlib import Path

import pytest

from src import config
from src.config import Settings, load_settings, load_store_settings
from src.errors import ConfigError

KEY = "k" * 32
LOCKED_DOWN = {"ENVIRONMENT": "production", "API_KEY": KEY, "CORS_ORIGINS": "https://example.com"}


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "ENVIRONMENT",
        "API_KEY",
        "CORS_ORIGINS",
        "MODEL_DIR",
        "MLFLOW_TRACKING_URI",
        "PORT",
        "HOST",
    ):
        monkeypatch.delenv(name, raising=False)


def test_settings_default_to_an_open_development_server() -> None:
    settings = load_settings()

    assert settings.environment == "development"
    assert settings.api_key == ()
    assert settings.model_dir == Path("models")
    assert (settings.rate_limit_predict, settings.rate_limit_health) == ("10/minute", "30/minute")


def test_a_locked_down_production_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    set_environment(monkeypatch, LOCKED_DOWN)

    assert load_settings().environment == "production"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ENVIRONMENT": "prod"}, "ENVIRONMENT: prod; allowed: development or production"),
        ({"API_KEY": ""}, "API_KEY is required in production; make one with: openssl rand -hex 32"),
        ({"API_KEY": "k" * 31}, "API_KEY: each key needs at least 32 characters in production"),
        ({"API_KEY": f"{KEY},short"}, "API_KEY: each key needs at least 32 characters in production"),
        (
            {"CORS_ORIGINS": ""},
            "CORS_ORIGINS is required in production: the origins that may call, comma-separated",
        ),
        ({"CORS_ORIGINS": "*"}, "CORS_ORIGINS: * and null are not allowed in production; name each origin"),
        (
            {"CORS_ORIGINS": "https://a,null"},
            "CORS_ORIGINS: * and null are not allowed in production; name each origin",
        ),
        ({"RATE_LIMIT_STORAGE": "file:///x"}, None),
        (
            {"RATE_LIMIT_PREDICT": "often"},
            "RATE_LIMIT_PREDICT: write a limit as 10/minute, 100/hour or 1000/day",
        ),
        *(
            ({name: value}, None)
            for name in ("MODEL_REFRESH_SECONDS", "DRAIN_SECONDS")
            for value in ("nan", "inf", "-inf", "1e999")
        ),
        (
            {"MODEL_REFRESH_SECONDS": "1e10"},
            "MODEL_REFRESH_SECONDS: 1e10; allowed: 0.001 to 604800",
        ),
        (
            {"MODEL_REFRESH_SECONDS": "1e-300"},
            "MODEL_REFRESH_SECONDS: 1e-300; allowed: 0.001 to 604800",
        ),
        ({"DRAIN_SECONDS": "1e9"}, "DRAIN_SECONDS: 1e9; allowed: 0 to 3600"),
        (
            {"SHUTDOWN_SECONDS": str(10**30)},
            f"SHUTDOWN_SECONDS: {10**30}; allowed: a whole number, 1 to 3600",
        ),
        (
            {"MAX_BODY_BYTES": str(2**63)},
            f"MAX_BODY_BYTES: {2**63}; allowed: a whole number, 1 to 1073741824",
        ),
        (
            {"BATCH_MAX_BODY_BYTES": str(2**63)},
            f"BATCH_MAX_BODY_BYTES: {2**63}; allowed: a whole number, 1 to 1073741824",
        ),
        ({"BATCH_MAX_ROWS": str(2**63)}, f"BATCH_MAX_ROWS: {2**63}; allowed: a whole number, 1 to 100000"),
        ({"WORKERS": str(2**63)}, f"WORKERS: {2**63}; allowed: a whole number, 1 to 64"),
        (
            {"RATE_LIMIT_PREDICT": "99999999999999999999/minute"},
            "RATE_LIMIT_PREDICT: a limit is at most 1000000000 requests, in at most 366 days",
        ),
        (
            {"RATE_LIMIT_HEALTH": "1/999999999999 year"},
            "RATE_LIMIT_HEALTH: a limit is at most 1000000000 requests, in at most 366 days",
        ),
        (
            {"RATE_LIMIT_HEALTH": "10/minute;5/second"},
            "RATE_LIMIT_HEALTH: write a limit as 10/minute, 100/hour or 1000/day, and one alone",
        ),
        (
            {"RATE_LIMIT_STORAGE": "redis://user:pass/word@host"},
            "RATE_LIMIT_STORAGE: must be an address such as redis://host:6379",
        ),
        ({"PORT": "http"}, "PORT: http; allowed: a whole number, 0 to 65535"),
    ],
)
def test_an_unsafe_or_impossible_setting_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, str], message: str | None
) -> None:
    set_environment(monkeypatch, {**LOCKED_DOWN, **changes})

    with pytest.raises(ConfigError) as error:
        load_settings()

    assert KEY not in str(error.value)
    assert "\n" not in str(error.value)
    if message:
        assert str(error.value) == message


def test_every_number_has_a_least_and_a_most() -> None:
    """No number that a thread, a timer or a socket cannot take gets as far as there."""
    unbounded = []
    for name, field in Settings.model_fields.items():
        if field.annotation in (int, float):
            kinds = {type(bound).__name__ for bound in field.metadata}
            if not ({"Ge", "Gt"} & kinds and {"Le", "Lt"} & kinds):
                unbounded.append(name)

    assert unbounded == []


def test_several_keys_allow_rotation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_KEY", " one , two,")

    assert [key.get_secret_value() for key in load_settings().api_key] == ["one", "two"]


def test_no_key_is_shown_when_settings_are_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_KEY", KEY)

    assert KEY not in repr(load_settings())


def test_a_secret_may_be_a_file_and_the_environment_wins(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(config, "SECRETS", tmp_path)
    (tmp_path / "api_key").write_text(f"{KEY}\n")
    (tmp_path / "mlflow_tracking_token").write_text("from the file")
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "from the environment")

    settings = load_settings()

    assert [key.get_secret_value() for key in settings.api_key] == [KEY]
    assert settings.mlflow_tracking_token is not None
    assert settings.mlflow_tracking_token.get_secret_value() == "from the environment"


def test_an_empty_key_file_is_no_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(config, "SECRETS", tmp_path)
    (tmp_path / "api_key").touch()

    assert load_settings().api_key == ()


def test_a_secret_that_cannot_be_read_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(config, "SECRETS", tmp_path)
    (tmp_path / "api_key").touch()

    def refuse(path: Path, *arguments: object, **options: object) -> str:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_text", refuse)

    with pytest.raises(ConfigError) as error:
        load_settings()

    assert str(error.value) == f"[Errno 13] Permission denied: '{tmp_path / 'api_key'}'"


def test_a_pipeline_command_needs_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVIRONMENT", "production")
    monkeypatch.setenv("MODEL_DIR", "elsewhere")

    assert load_store_settings().model_dir == Path("elsewhere")


def set_environment(monkeypatch: pytest.MonkeyPatch, values: dict[str, str]) -> None:
    for name, value in values.items():
        monkeypatch.setenv(name, value)

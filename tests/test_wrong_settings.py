"""A wrong setting is one line: what it was, unless that may be secret, and what is allowed."""

import pytest

from src.config import Settings, load_settings, near_misses
from src.errors import ConfigError

ORIGIN = "write an origin as https://app.example, without a path"
LIMIT = "write a limit as 10/minute, 100/hour or 1000/day"
WRONG = [
    ("PORT", "99999", "PORT: 99999; allowed: a whole number, 0 to 65535"),
    ("PORT", "-1", "PORT: -1; allowed: a whole number, 0 to 65535"),
    ("PORT", "80.5", "PORT: 80.5; allowed: a whole number, 0 to 65535"),
    ("PORT", "eighty", "PORT: eighty; allowed: a whole number, 0 to 65535"),
    ("PORT", "0x50", "PORT: 0x50; allowed: a whole number, 0 to 65535"),
    ("WORKERS", "0", "WORKERS: 0; allowed: a whole number, 1 to 64"),
    ("WORKERS", "65", "WORKERS: 65; allowed: a whole number, 1 to 64"),
    ("WORKERS", "auto", "WORKERS: auto; allowed: a whole number, 1 to 64"),
    ("ENVIRONMENT", "prod", "ENVIRONMENT: prod; allowed: development or production"),
    ("ENVIRONMENT", "Production", "ENVIRONMENT: Production; allowed: development or production"),
    ("LOG_LEVEL", "verbose", "LOG_LEVEL: verbose; allowed: DEBUG or INFO or WARNING or ERROR"),
    ("LOG_LEVEL", "info", "LOG_LEVEL: info; allowed: DEBUG or INFO or WARNING or ERROR"),
    ("MAX_BODY_BYTES", "lots", "MAX_BODY_BYTES: lots; allowed: a whole number, 1 to 1073741824"),
    ("MAX_BODY_BYTES", "0", "MAX_BODY_BYTES: 0; allowed: a whole number, 1 to 1073741824"),
    ("MAX_BODY_BYTES", "2GiB", "MAX_BODY_BYTES: 2147483648; allowed: a whole number, 1 to 1073741824"),
    ("MAX_BODY_BYTES", "1.5MB", "MAX_BODY_BYTES: 1.5MB; allowed: a whole number, 1 to 1073741824"),
    ("BATCH_MAX_ROWS", "0", "BATCH_MAX_ROWS: 0; allowed: a whole number, 1 to 100000"),
    ("BATCH_MAX_ROWS", "1e3", "BATCH_MAX_ROWS: 1e3; allowed: a whole number, 1 to 100000"),
    ("MODEL_REFRESH_SECONDS", "0", "MODEL_REFRESH_SECONDS: 0; allowed: 0.001 to 604800"),
    ("MODEL_REFRESH_SECONDS", "30d", "MODEL_REFRESH_SECONDS: 2592000.0; allowed: 0.001 to 604800"),
    ("MODEL_REFRESH_SECONDS", "often", "MODEL_REFRESH_SECONDS: often; allowed: 0.001 to 604800"),
    ("MODEL_REFRESH_SECONDS", "nan", "MODEL_REFRESH_SECONDS: nan; allowed: 0.001 to 604800"),
    ("DRAIN_SECONDS", "-1", "DRAIN_SECONDS: -1; allowed: 0 to 3600"),
    ("DRAIN_SECONDS", "2h", "DRAIN_SECONDS: 7200.0; allowed: 0 to 3600"),
    ("SHUTDOWN_SECONDS", "0", "SHUTDOWN_SECONDS: 0; allowed: a whole number, 1 to 3600"),
    ("SHUTDOWN_SECONDS", "1.5s", "SHUTDOWN_SECONDS: 1.5; allowed: a whole number, 1 to 3600"),
    ("CORS_ORIGINS", "app.example", f"CORS_ORIGINS: app.example: {ORIGIN}"),
    ("CORS_ORIGINS", "https://a,b.example", f"CORS_ORIGINS: b.example: {ORIGIN}"),
    ("CORS_ORIGINS", "https://a.example/", f"CORS_ORIGINS: https://a.example/: {ORIGIN}"),
    ("CORS_ORIGINS", "localhost:3000", f"CORS_ORIGINS: localhost:3000: {ORIGIN}"),
    ("RATE_LIMIT_PREDICT", "10", f"RATE_LIMIT_PREDICT: {LIMIT}"),
    ("RATE_LIMIT_HEALTH", "ten/minute", f"RATE_LIMIT_HEALTH: {LIMIT}"),
    ("RATE_LIMIT_MODEL_INFO", "10/fortnight", f"RATE_LIMIT_MODEL_INFO: {LIMIT}"),
    ("RATE_LIMIT_WRONG_KEY", "-1/minute", f"RATE_LIMIT_WRONG_KEY: {LIMIT}"),
    (
        "RATE_LIMIT_STORAGE",
        "memcached://host",
        "RATE_LIMIT_STORAGE: must start with memory://, redis:// or rediss://",
    ),
    (
        "RATE_LIMIT_STORAGE",
        "redis://:secret@host:port",
        "RATE_LIMIT_STORAGE: must be an address such as redis://host:6379",
    ),
]


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize(("name", "value", "message"), WRONG)
def test_a_wrong_setting_is_one_line(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, message: str
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(ConfigError) as refused:
        load_settings()

    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("MAX_BODY_BYTES", "1MB", 1_000_000),
        ("MAX_BODY_BYTES", "64 KiB", 65_536),
        ("MAX_BODY_BYTES", "512k", 512_000),
        ("BATCH_MAX_BODY_BYTES", "1GiB", 2**30),
        ("BATCH_MAX_BODY_BYTES", "65536", 65_536),
        ("MODEL_REFRESH_SECONDS", "500ms", 0.5),
        ("MODEL_REFRESH_SECONDS", "5m", 300.0),
        ("MODEL_REFRESH_SECONDS", "7d", 604_800.0),
        ("DRAIN_SECONDS", "10s", 10.0),
        ("DRAIN_SECONDS", "0.25", 0.25),
        ("SHUTDOWN_SECONDS", "1m", 60),
    ],
)
def test_sizes_and_durations_have_units(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, read: float
) -> None:
    monkeypatch.setenv(name, value)

    assert getattr(load_settings(), name.lower()) == read


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("API_KEYS", "API_KEY"),
        ("CORS_ORIGIN", "CORS_ORIGINS"),
        ("WORKER", "WORKERS"),
        ("BATCH_MAX_ROW", "BATCH_MAX_ROWS"),
        ("MLFLOW_TRACKING_URL", "MLFLOW_TRACKING_URI"),
    ],
)
def test_a_near_miss_is_named(monkeypatch: pytest.MonkeyPatch, name: str, meant: str) -> None:
    monkeypatch.setenv(name, "x")

    assert f"{name} is set, and is no setting, did you mean {meant}?" in near_misses()


@pytest.mark.parametrize("name", ["HOSTNAME", "EXPORT", "PATH", "PYTHONPATH", "API_URL", "api_keys", "HOME"])
def test_variables_of_others_are_left_alone(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "x")

    assert not any(line.startswith(f"{name} ") for line in near_misses())


def test_production_without_a_key_names_the_near_miss(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVIRONMENT", "production")
    monkeypatch.setenv("API_KEYS", "k" * 32)

    with pytest.raises(ConfigError) as refused:
        load_settings()

    assert str(refused.value).endswith("; API_KEYS is set, and is no setting, did you mean API_KEY?")
    assert "kkk" not in str(refused.value)

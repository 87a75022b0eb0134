"""What one load and one start of a server gave."""

from dataclasses import dataclass

CONNECTIONS = (1, 16, 64)
BATCH_ROWS = 1_000


@dataclass(frozen=True)
class Sample:
    """One load on one server."""

    round: int
    server: str
    what: str  # "predict", "explain" or "batch"
    connections: int
    requests_per_second: float
    p50_ms: float
    p99_ms: float
    cpu_us_per_request: float


@dataclass(frozen=True)
class Start:
    """One start of one server."""

    round: int
    server: str
    start_seconds: float
    memory_mb: float  # after the load

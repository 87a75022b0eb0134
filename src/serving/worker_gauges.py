"""The files in which workers count together: which of them end with a worker."""

import os
from pathlib import Path

FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # as Prometheus' client is told where the files are


def has_siblings() -> bool:
    """Return whether this process is one of several workers."""
    return FOLDER in os.environ


def shared_folder() -> Path:
    """Return where the files are."""
    return Path(os.environ[FOLDER])


def forget_worker(pid: int) -> None:
    """Remove the gauges of a worker that has ended; what it counted stays in the sums."""
    for name in (f"gauge_live*_{pid}.db", f"gauge_live*_{pid}-*.db"):
        for file in shared_folder().glob(name):
            file.unlink(missing_ok=True)  # others remove it, too


def forget_dead_workers() -> None:
    """Remove what killed workers left behind, so that gauges count the living only."""
    for pid in {_pid_of(file) for file in shared_folder().glob("gauge_live*.db")}:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            forget_worker(pid)


def _pid_of(file: Path) -> int:
    return int(file.stem.rpartition("_")[2].partition("-")[0])

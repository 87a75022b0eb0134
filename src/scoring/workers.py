"""Where parts are scored: here, in processes of this machine, or on a Dask cluster."""

import importlib
import logging
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import Any

from src.bundle.bundle import Bundle
from src.errors import ConfigError, MlopsError
from src.scoring.inputs import Part
from src.scoring.job import Done, Job, score_part

logger = logging.getLogger(__name__)

AHEAD = 256  # parts that are handed out before the first of them is done
_PATIENCE = 30  # seconds, for a scheduler to answer
_DEATHS = 10  # of workers that have one part, before it is given up


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def scored(
    work: Path, job: Job, bundle: Bundle, parts: Iterable[Part], scheduler: str | None, workers: int | None
) -> Iterator[Done]:
    """Yield the `parts` of `job` as they are done, in any order.

    `scheduler` is the address of a Dask cluster, whose workers see the files of the job and `work` where this
    process does; without one `workers` processes of this machine score them, and one part is scored here.

    Raises:
        ConfigError: the scheduler cannot be reached.
        DataError: a part cannot be read.
        MlopsError: the workers were lost.
    """
    todo = iter(parts)
    first = list(islice(todo, 2))
    todo = chain(first, todo)
    if scheduler is None and (len(first) < 2 or workers == 1):
        yield from (score_part(work, job, bundle, part) for part in todo)
        return
    with _client(scheduler, workers or cores()) as client:
        yield from _of_cluster(client, work, job, bundle, todo)


def _of_cluster(client: Any, work: Path, job: Job, bundle: Bundle, todo: Iterator[Part]) -> Iterator[Done]:
    distributed: Any = importlib.import_module("distributed")

    def submitted(part: Part) -> Any:
        return client.submit(score_part, work, job, model, part, pure=False)

    try:
        # A task, not scattered data: it is done again when the workers that have it die.
        model = client.submit(_given, bundle, pure=False)
        futures = distributed.as_completed([submitted(part) for part in islice(todo, AHEAD)])
        for future in futures:
            yield future.result()
            future.release()
            for part in islice(todo, 1):
                futures.add(submitted(part))
    except distributed.KilledWorker as error:
        raise MlopsError(f"{_DEATHS} workers died of one part, as of too little memory") from error
    except (distributed.comm.CommClosedError, distributed.CancelledError) as error:
        raise MlopsError(f"lost the scheduler: {' '.join(str(error).split())[:200]}") from error


def _given(bundle: Bundle) -> Bundle:
    return bundle


@contextmanager
def _client(scheduler: str | None, workers: int) -> Iterator[Any]:
    # Dask takes seconds to import, and has no types.
    dask: Any = importlib.import_module("dask")
    distributed: Any = importlib.import_module("distributed")

    options = {
        "distributed.scheduler.allowed-failures": _DEATHS,
        "distributed.logging.distributed": "error",
        "distributed.worker.profile.enabled": False,  # it takes a seventh of the time
    }
    with dask.config.set(options):
        if scheduler is not None:
            try:
                client = distributed.Client(scheduler, timeout=_PATIENCE)
            except (OSError, ValueError) as error:
                raise ConfigError(f"{scheduler}: no Dask scheduler answers there: {error}") from error
            with client:
                logger.info("Dask dashboard: %s", client.dashboard_link)
                yield client
            return
        # Whoever may connect to a scheduler may run code: only who has the certificate of this run.
        security = distributed.Security.temporary()
        with (
            distributed.LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                host="127.0.0.1",
                protocol="tls://",
                security=security,
                dashboard_address="127.0.0.1:0",
                silence_logs=logging.ERROR,
            ) as cluster,
            distributed.Client(cluster, security=security) as client,
        ):
            logger.info("Dask dashboard: %s", cluster.dashboard_link)
            yield client

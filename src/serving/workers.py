"""Several processes behind one port: started, watched, replaced and stopped together.

Uvicorn's supervisor takes a worker that needs more than five seconds to start for one that hangs, kills
it, and never gets further on a slow machine.
"""

import logging
import multiprocessing
import os
import shutil
import signal
import socket
import threading
import time
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from types import FrameType

from uvicorn import Config
from uvicorn.supervisors.multiprocess import Process

from src.serving.http.addresses import acceptors
from src.serving.worker_gauges import forget_worker, shared_folder

ROUND_SECONDS = 0.5
# Counted in rounds: a machine that slept, or a container that was paused, is not the worker's fault.
SILENT_ROUNDS = 60  # a worker that was ready and answers for so long no ping hangs
SLOW_SECONDS = 30.0  # a start that takes longer is said in the log, and again each time it has doubled
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0  # seconds before the place of one that never got ready is filled
MARGIN_SECONDS = 5.0

logger = logging.getLogger(__name__)


class Worker(Process):
    """One server process; it ends when the one that started it has gone."""

    def __init__(self, config: Config, listener: socket.socket) -> None:
        super().__init__(config, [listener])
        self.ready = False
        self._silent_rounds = 0
        self._started = time.monotonic()
        self._slow_at = SLOW_SECONDS
        self.leave_by = float("inf")

    def lives(self) -> bool:
        """Return whether it runs and, once it was ready, still answers; asks each round, and never waits."""
        if not self.process.is_alive():
            return False
        if self._silent_rounds and self.parent_conn.poll():
            self.ready = self.parent_conn.recv() or self.ready
            self._silent_rounds = 0
        if not self._silent_rounds:  # one ping at a time: many would fill the pipe of one that reads none
            self.parent_conn.send(b"ping")
        self._silent_rounds += 1
        if self.ready:
            return self._silent_rounds <= SILENT_ROUNDS
        self._say_slow()
        return True

    def leave(self, seconds: float) -> None:
        """Tell it to stop; it has `seconds` to do so."""
        self.terminate()
        self.leave_by = time.monotonic() + seconds

    def end(self) -> int | None:
        """End it if it still runs, and its gauges with it; return its exit code."""
        self.kill()
        self.process.join()
        if self.pid is not None:
            forget_worker(self.pid)
        return self.exitcode

    def target(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve; this runs in the process itself."""
        parent = multiprocessing.parent_process()
        assert parent is not None
        threading.Thread(target=self._end_with, args=[parent], daemon=True).start()
        try:
            super().target(None if sockets is None else acceptors(sockets[0]))
        finally:
            if not parent.is_alive():
                _remove_metrics()

    def _say_slow(self) -> None:
        seconds = time.monotonic() - self._started
        if seconds >= self._slow_at:
            logger.warning("worker %d is not ready after %.0f seconds", self.pid, seconds)
            self._slow_at *= 2

    def _end_with(self, parent: BaseProcess) -> None:
        """Wait until `parent` has gone, however it went: nobody else would ever free the port."""
        parent.join()
        if self.server.started:
            logger.error("the process that started this worker has gone: stopping")
            self.server.should_exit = True
            time.sleep((self.config.timeout_graceful_shutdown or 0) + MARGIN_SECONDS)
        _remove_metrics()
        os._exit(1)


class Workers:
    """As many workers as there should be, one in the place of each that ended.

    Args:
        patience: the seconds that a worker may take to stop.
    """

    def __init__(self, config: Config, listener: socket.socket, patience: float) -> None:
        self._config = config
        self._listener = listener
        self._patience = patience
        self._count = config.workers
        self._workers: list[Worker] = []
        self._outdated: list[Worker] = []  # of them, those to be replaced one by one
        self._leaving: list[Worker] = []
        self._pause = 0.0
        self._next_start = 0.0
        self._stopping = False
        self._hurry = False
        self._exit_code = 0

    def run(self) -> int:
        """Serve until told to stop, or until no worker can start; return the exit code."""
        self._obey_signals()
        try:
            while not self._stopping:
                self._round()
        finally:
            self._stop()
        return self._exit_code

    def _round(self) -> None:
        self._replace_outdated()
        self._start_missing()
        self._wait()
        for worker in list(self._workers):
            if not self._stopping and not worker.lives():
                self._bury(worker)
        if all(worker.ready for worker in self._workers) and len(self._workers) >= self._count:
            self._pause = 0.0

    def _stop(self) -> None:
        self._listener.close()  # not before: who connects while no worker is ready yet waits
        for worker in list(self._workers):
            self._retire(worker)
        while self._leaving:
            self._wait()
            if self._hurry:
                self._hurry = False
                for worker in self._leaving:
                    worker.process.terminate()

    def _wait(self) -> None:
        """Wait for the end of a worker or of the round; those that were told to leave are seen off."""
        wait([worker.process.sentinel for worker in self._workers + self._leaving], ROUND_SECONDS)
        for worker in list(self._leaving):
            late = time.monotonic() > worker.leave_by
            if late:
                logger.error("worker %d did not stop in time: killed", worker.pid)
            if late or not worker.process.is_alive():
                self._leaving.remove(worker)
                worker.end()

    def _start_missing(self) -> None:
        wanted = self._count + bool(self._outdated)
        while len(self._workers) < wanted and time.monotonic() >= self._next_start and not self._stopping:
            worker = Worker(self._config, self._listener)
            try:
                worker.start()
            except OSError as error:  # no memory, too many processes
                logger.error("no worker can be started: %s", error.strerror)
                self._start_later()
                return
            self._workers.append(worker)

    def _start_later(self) -> None:
        self._pause = min(max(self._pause * 2, FIRST_PAUSE), LONGEST_PAUSE)
        self._next_start = time.monotonic() + self._pause

    def _replace_outdated(self) -> None:
        self._outdated = [worker for worker in self._outdated if worker in self._workers]
        if len(self._workers) <= self._count:
            return
        if not self._outdated:
            self._retire(self._workers[-1])
        elif all(worker.ready for worker in self._workers):
            self._retire(self._outdated.pop(0))

    def _retire(self, worker: Worker) -> None:
        worker.leave(self._patience)
        self._workers.remove(worker)
        self._leaving.append(worker)

    def _bury(self, worker: Worker) -> None:
        """End what is left of a worker that ended or hangs, and decide what comes after it."""
        hangs = worker.process.is_alive()
        code = worker.end()
        self._workers.remove(worker)
        if hangs:
            logger.error("worker %s did not answer: killed", worker.pid)
        elif worker.ready or not code or code < 0 or any(other.ready for other in self._workers):
            logger.error("worker %s ended with %s", worker.pid, code)
        else:  # the next would end alike
            logger.error("worker %s ended with %d before it was ready: stopping", worker.pid, code)
            self._exit_code = code
            self._stopping = True
        if not worker.ready:
            self._start_later()

    def _obey_signals(self) -> None:
        def stop(number: int, frame: FrameType | None) -> None:
            self._hurry = self._stopping  # told twice: at once, then
            self._stopping = True

        def restart(number: int, frame: FrameType | None) -> None:
            self._outdated = list(self._workers)

        def more(number: int, frame: FrameType | None) -> None:
            self._count += 1

        def fewer(number: int, frame: FrameType | None) -> None:
            self._count = max(self._count - 1, 1)

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        signal.signal(signal.SIGHUP, restart)
        signal.signal(signal.SIGTTIN, more)
        signal.signal(signal.SIGTTOU, fewer)


def _remove_metrics() -> None:
    """Remove the folder that workers count in: the parent, who does it else, cannot."""
    shutil.rmtree(shared_folder(), ignore_errors=True)

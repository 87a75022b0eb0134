"""The inference server, configured by environment variables: docs/reference.md lists them."""

import os
import shutil
import signal
import socket
import sys
import tempfile
from logging import getLogger

# Read once, when NumPy is imported: threads for products of matrices, which nothing here makes, take
# more time to start than all of NumPy.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import uvicorn  # noqa: E402

from src.cli import Parser  # noqa: E402
from src.config import Settings, load_settings  # noqa: E402
from src.errors import ConfigError, exit_on_error  # noqa: E402
from src.serving.http.addresses import Protocol, acceptors, open_socket  # noqa: E402
from src.serving.logs import log_config  # noqa: E402
from src.serving.worker_gauges import FOLDER  # noqa: E402
from src.serving.workers import Workers  # noqa: E402
from src.store.sources import source_for  # noqa: E402

logger = getLogger(__name__)


def main() -> None:
    parser = Parser("src.serving", __doc__)
    parser.add_argument("--host", help="address to listen on, instead of HOST")
    parser.add_argument("--port", help="port to listen on, instead of PORT; 0 takes a free one")
    for name, value in vars(parser.parse_args()).items():
        if value is not None:
            os.environ[name.upper()] = value  # workers read it too
    settings = load_settings()
    source_for(settings)  # a wrong address is found here, not by every worker
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))  # until the server has its own
    listener = listen(settings)
    config = server_config(settings)
    host, port = listener.getsockname()[:2]
    logger.info("listening on http://%s:%d", f"[{host}]" if ":" in host else host, port)
    if settings.workers == 1:
        serve(config, listener)
    else:
        if settings.rate_limit_storage.startswith("memory://"):
            logger.warning(
                "RATE_LIMIT_STORAGE is memory://: each of %d workers counts for itself", settings.workers
            )
        serve_by_workers(config, listener, settings.drain_seconds + settings.shutdown_seconds)


def server_config(settings: Settings) -> uvicorn.Config:
    """Return what Uvicorn is told."""
    return uvicorn.Config(
        "src.serving.app:app",
        workers=settings.workers,
        lifespan="on",
        http=Protocol,
        ws="none",
        access_log=False,
        server_header=False,
        log_config=log_config(settings),
        proxy_headers=bool(settings.forwarded_allow_ips),
        forwarded_allow_ips=list(settings.forwarded_allow_ips),
        timeout_graceful_shutdown=settings.shutdown_seconds,
    )


def listen(settings: Settings) -> socket.socket:
    """Return the socket of the server; who connects before it is ready waits.

    Raises:
        ConfigError: the address is not ours or not free, or of a family that this machine does not have.
    """
    try:
        listener = open_socket(settings.host, settings.port)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
        raise ConfigError(f"HOST {settings.host}, PORT {settings.port}: {reason}") from error
    except UnicodeError as error:
        raise ConfigError(f"HOST {settings.host}: not an address, and not a name either") from error
    listener.set_inheritable(True)
    return listener


def serve(config: uvicorn.Config, listener: socket.socket) -> None:
    """Serve in this process until it is told to stop; exit with 1 when the app does not start."""
    server = uvicorn.Server(config)
    try:
        server.run(acceptors(listener))
    except KeyboardInterrupt:
        pass
    if not server.started:
        sys.exit(1)


def serve_by_workers(config: uvicorn.Config, listener: socket.socket, patience: float) -> None:
    """Run workers that count their metrics together, in a folder that ends with them; exit as they do."""
    folder = tempfile.mkdtemp(prefix="metrics-")
    os.environ[FOLDER] = folder  # before a worker imports the client
    try:
        code = Workers(config, listener, patience).run()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if code:
        sys.exit(code)


if __name__ == "__main__":
    exit_on_error(main)

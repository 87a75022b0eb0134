"""What workers count for each version of the model, in files that end with the version.

The files of Prometheus' client only grow: a label that was once there stays for as long as its worker.
So each version has files of its own, of the kind that the client sums.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Lock

from prometheus_client import Counter, Gauge, Metric
from prometheus_client.mmap_dict import MmapedDict, mmap_key
from prometheus_client.multiprocess import MultiProcessCollector

Labels = tuple[str, ...]


class Value:
    """A number in a file that every worker reads."""

    def __init__(self, file: MmapedDict, key: str) -> None:
        self._file = file
        self._key = key
        self._lock = Lock()
        self._value = float(file.read_value(key)[0])  # type: ignore[no-untyped-call]

    def inc(self, amount: float) -> None:
        """Add `amount`."""
        with self._lock:
            self._value += amount
            self._write()

    def set(self, value: float) -> None:
        """Be `value` from now on."""
        with self._lock:
            self._value = value
            self._write()

    def _write(self) -> None:
        self._file.write_value(self._key, self._value, 0.0)  # type: ignore[no-untyped-call]


class VersionFiles:
    """The files of this worker for one version: a gauge that says who serves it, and its rows.

    Args:
        info, rows: the metrics whose series these are.
        labels: those of `info`.
    """

    def __init__(self, folder: Path, info: Gauge, rows: Counter, labels: Labels) -> None:
        tag = hashlib.sha256(json.dumps(labels).encode()).hexdigest()[:16]
        name = f"{os.getpid()}-{tag}.db"
        self._rows = rows
        # The gauge comes first: without it the file of rows would be one of a version that has gone.
        self._gauge = folder / f"gauge_livemax_{name}"
        self.info = Value(_open(self._gauge), _key(info, labels))
        self._counters = _open(folder / f"counter_{name}")

    def row_counter(self, *labels: str) -> Callable[[float], None]:
        """Return what counts rows with `labels`."""
        return Value(self._counters, _key(self._rows, labels)).inc

    def close(self) -> None:
        """Say no more that this worker serves the version; requests that have begun may still count."""
        self._gauge.unlink(missing_ok=True)


class SharedVersions:
    """The version in service and the one before it; those before them are forgotten."""

    def __init__(self, folder: Path, info: Gauge, rows: Counter) -> None:
        self._folder = folder
        self._info = info
        self._rows = rows
        self._kept: dict[Labels, VersionFiles] = {}  # the newest last

    def open(self, labels: Labels) -> VersionFiles:
        """Return the files of a version that is about to serve."""
        files = self._kept.pop(labels, None) or VersionFiles(self._folder, self._info, self._rows, labels)
        self._kept[labels] = files
        return files

    def show(self, labels: Labels) -> None:
        """Say that the version with `labels`, and no other, is in service here."""
        for kept, files in self._kept.items():
            files.info.set(float(kept == labels))
        for old in list(self._kept)[:-2]:
            self._kept.pop(old).close()
        self._forget_rows()

    def _forget_rows(self) -> None:
        """Remove the rows of versions that no worker serves any more, those of dead workers, too."""
        rows = list(self._folder.glob("counter_*-*.db"))  # before the gauges, which are made before them
        loaded = {_tag(file) for file in self._folder.glob("gauge_livemax_*-*.db")}
        for file in rows:
            if _tag(file) not in loaded:
                file.unlink(missing_ok=True)


class Everyone(MultiProcessCollector):
    """What all workers counted."""

    def collect(self) -> Iterator[Metric]:
        while True:
            try:
                yield from super().collect()  # type: ignore[no-untyped-call]
                return
            except FileNotFoundError:  # another worker forgets a version at this moment
                continue


def _tag(file: Path) -> str:
    return file.stem.rpartition("-")[2]


def _key(metric: Counter | Gauge, labels: Labels) -> str:
    family = metric.describe()[0]  # type: ignore[index]
    sample = family.name + ("_total" if family.type == "counter" else "")
    names = list(metric._labelnames)
    return mmap_key(family.name, sample, names, list(labels), family.documentation)


def _open(path: Path) -> MmapedDict:
    """Return the file at `path`, where nobody finds it before it has its form."""
    if path.exists():
        return MmapedDict(str(path))  # type: ignore[no-untyped-call]
    new = path.with_suffix(".new")
    file = MmapedDict(str(new))  # type: ignore[no-untyped-call]
    new.rename(path)
    return file

"""The folder beside an output in which it comes to be: a run that was stopped goes on there."""

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from src.disk.files import put_synced, sync_folder, write_file
from src.disk.folders import alone, replace_folder
from src.disk.lock import try_locked
from src.errors import DataError
from src.scoring.job import Done, Files, Job, files_of
from src.scoring.outputs import REJECTED_HEADER, csv_line, join

_JOB, _LOCK = "job.json", "lock"


class Workspace:
    """What one output is made in."""

    def __init__(self, output: Path) -> None:
        self._output = Path(os.path.realpath(output))
        self.folder = self._output.with_name(f".{self._output.name}.scoring")
        self.unpacked = self.folder / "unpacked"
        self.manifest = self._output.with_name(f"{self._output.name}.manifest.json")
        self.rejected = self._output.with_name(f"{self._output.name}.rejected")

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Keep others out of it; raises DataError when one is in it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with try_locked(self.folder / _LOCK) as alone_here:
            if not alone_here:
                raise DataError(f"{self._output}: another command is writing it")
            self.unpacked.mkdir(exist_ok=True)
            try:
                yield
            finally:
                if not (self.folder / _JOB).exists():  # nothing was begun, or all is done
                    shutil.rmtree(self.folder, ignore_errors=True)

    def begun(self) -> Job | None:
        """Return the job that was begun and not ended; None when there is none, or none of this version."""
        return _read_job(self.folder / _JOB, Job.model_validate_json)

    def ended(self) -> Job | None:
        """Return the job that the output is of; None when there is no output of one."""
        if not self._output.exists():
            return None
        return _read_job(self.manifest, _job_of_manifest)

    def begin(self, job: Job) -> None:
        """Forget what was begun before, and begin `job`."""
        for path in self.folder.iterdir():
            if path not in (self.folder / _LOCK, self.unpacked):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        write_file(self.folder / _JOB, job.model_dump_json(indent=2).encode())

    def done(self, job: Job) -> dict[int, Done]:
        """Return the parts of `job` that are whole, by number."""
        found = {}
        for path in sorted(self.folder.glob("part-*.json")):
            try:
                one = Done.model_validate_json(path.read_bytes())
            except ValidationError:
                continue  # not whole after all: it is made again
            if files_of(self.folder, job, one.part.number).answers.exists():
                found[one.part.number] = one
        return found

    def publish(self, job: Job, parts: Sequence[Files], manifest: Mapping[str, Any]) -> None:
        """Put the answers of all `parts`, which are whole, to the output in one step; remove this folder."""
        whole = self.folder / "whole"
        shutil.rmtree(whole, ignore_errors=True)
        whole.mkdir()
        self._publish_rejected([files.rejected for files in parts], self.folder / "rejected")
        answers = [files.answers for files in parts]
        if self._output.suffix == f".{job.format}":
            join(answers, whole / "file", job.format)
            put_synced(whole / "file", self._output)
        else:
            for path in answers:
                _link(path, whole / path.name)
            sync_folder(whole)
            with alone(self._output):
                replace_folder(whole, self._output)
        write_file(self.manifest, (json.dumps(manifest, indent=2, ensure_ascii=False) + "\n").encode())
        shutil.rmtree(self.folder)

    def _publish_rejected(self, parts: Sequence[Path], incoming: Path) -> None:
        """Put what was rejected in `parts` to its file; there is none of what was there before."""
        if not any(part.stat().st_size for part in parts):
            self.rejected.unlink(missing_ok=True)
            return
        with incoming.open("wb") as whole:
            whole.write(csv_line(REJECTED_HEADER))
            for part in parts:
                with part.open("rb") as file:
                    shutil.copyfileobj(file, whole)
        put_synced(incoming, self.rejected)


def _job_of_manifest(content: bytes) -> Job:
    return Job.model_validate_json(json.dumps(json.loads(content)["job"]))


def _read_job(path: Path, parse: Callable[[bytes], Job]) -> Job | None:
    try:
        return parse(path.read_bytes())
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _link(path: Path, other: Path) -> None:
    try:
        os.link(path, other)
    except OSError:  # a file system without links
        shutil.copyfile(path, other)

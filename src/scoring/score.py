"""Command `score`: predict every row of files of any size, on every core or on a Dask cluster."""

import re
import signal
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from src import logs
from src.bundle.bundle import Bundle
from src.cli import Parser
from src.config import StoreSettings, load_store_settings
from src.errors import ConfigError, DataError, RejectedError, exit_on_error
from src.progress import counted, step
from src.promotion.service import open_store
from src.scoring.inputs import Input, Part, digest, find_files, open_input, parts_of
from src.scoring.job import Done, Job, check_columns, files_of
from src.scoring.outputs import FORMATS
from src.scoring.workers import scored
from src.scoring.workspace import Workspace
from src.store.sources import source_for


def model_for(settings: StoreSettings, version: str | None) -> Bundle:
    """Return the champion of the source that the settings name, or `version` of the store."""
    if version is None:
        return source_for(settings).load()
    with open_store(settings) as store:
        return store.find(version).bundle


def open_job(
    workspace: Workspace, files: Iterable[Path], bundle: Bundle, kept: tuple[str, ...] | None, **how: Any
) -> Job:
    """Return what is to be done; `kept` None is all columns. Raises DataError as `check_columns` does."""
    inputs: list[Input] = []
    for place, path in enumerate(files):
        inputs.append(open_input(path, digest(path), workspace.unpacked / f"{place}.csv"))
    if next(parts_of(inputs), None) is None:
        raise DataError(f"{', '.join(one.name for one in inputs[:3])}: no rows below the header")
    job = Job(
        inputs=tuple(inputs),
        model=bundle.manifest.name,
        version=bundle.manifest.version,
        digest=bundle.digest,
        kept=inputs[0].named if kept is None else kept,
        **how,
    )
    check_columns(job, bundle)
    return job


def difference(before: Job, now: Job) -> str:
    """Return what is not as it was before, in words; "" when nothing is."""
    if before.digest != now.digest:
        return f"the model is version {now.version}, it was version {before.version}"
    was = {one.name: one.digest for one in before.inputs}
    changed = [one.name for one in now.inputs if was.pop(one.name, None) != one.digest]
    if changed or was:
        return f"{[*changed, *was][0]} is not as it was"
    return "" if before == now else "it was asked for other columns, or another format"


def run(arguments: Any, bundle: Bundle) -> tuple[int, int]:
    """Score as `arguments` say; return how many rows were answered and rejected.

    Raises:
        DataError: an input is no table or lacks a column, or what was begun before is another job.
    """
    output: Path = arguments.output
    workspace = Workspace(output)
    if output.is_dir() and workspace.ended() is None and any(output.iterdir()):
        raise DataError(f"{output}: a folder with other files; name one that does not exist yet")
    files = find_files(arguments.input, output)
    with workspace.opened():
        with step(f"reading {len(files)} file{'s' * (len(files) > 1)}"):
            kept = None if arguments.keep else tuple(arguments.id.split(",")) if arguments.id else ()
            how = {"scores": arguments.proba, "explained": arguments.explain, "format": arguments.format}
            job = open_job(workspace, files, bundle, kept, **how)
        before = workspace.begun()
        if before is not None and not arguments.force:
            whole = len(workspace.done(before))
            if not arguments.resume:
                raise DataError(
                    f"{output}: a run was stopped with {whole} parts whole;"
                    " --resume (RESUME=1) goes on, --force (FORCE=1) begins anew"
                )
            if other := difference(before, job):
                raise DataError(f"{output}: cannot go on, {other}; --force (FORCE=1) begins anew")
        else:
            workspace.begin(job)
        return _all_parts(workspace, job, bundle, arguments)


def _all_parts(workspace: Workspace, job: Job, bundle: Bundle, arguments: Any) -> tuple[int, int]:
    started = datetime.now(UTC)
    done = workspace.done(job)

    def todo() -> Iterator[Part]:
        for part in parts_of(job.inputs):
            if part.number in done and done[part.number].part == part:
                show(part.rows, part.size)
            else:
                yield part

    total = sum(Path(one.path).stat().st_size for one in job.inputs)
    found: dict[int, Done] = dict(done)
    with counted(f"scoring {arguments.input}", total) as show:
        for one in scored(workspace.folder, job, bundle, todo(), arguments.scheduler, arguments.workers):
            found[one.part.number] = one
            show(one.part.rows, one.part.size)
    parts = [found[number] for number in sorted(found)]
    answered, rejected = sum(one.answered for one in parts), sum(one.rejected for one in parts)
    manifest = {
        "rows": answered + rejected,
        "answered": answered,
        "rejected": rejected,
        "parts": len(parts),
        "git_commit": bundle.manifest.git_commit,
        "started_at": started.isoformat(timespec="seconds"),
        "ended_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "job": job.model_dump(mode="json"),
    }
    files = [files_of(workspace.folder, job, one.part.number) for one in parts]
    with step(f"writing {arguments.output}"):
        workspace.publish(job, files, manifest)
    return answered, rejected


def most_rejected(text: str, rows: int) -> float:
    """Return how many of `rows` may be rejected by `text`, a number or a share such as `1%`."""
    return float(text[:-1]) / 100 * rows if text.endswith("%") else float(text)


def _parser() -> Parser:
    parser = Parser("src.scoring.score", __doc__)
    parser.add_argument(
        "input", help="CSV or Parquet: a file, a folder, or a pattern such as 'day/*.parquet'"
    )
    parser.add_argument(
        "output", type=Path, help="a .parquet, .csv or .jsonl file, or a folder of such parts"
    )
    parser.add_argument("--format", choices=FORMATS, help="of the parts of a folder; default: parquet")
    parser.add_argument("--version", help="a version of the model store; default: the champion")
    beside = parser.add_mutually_exclusive_group()
    beside.add_argument(
        "--id", help="columns to put beside the answers, such as id,day; default: the row's number"
    )
    beside.add_argument("--keep", action="store_true", help="put all columns beside the answers")
    parser.add_argument("--proba", action="store_true", help="add the probability of each class")
    parser.add_argument("--explain", action="store_true", help="add what each column adds to the score; slow")
    parser.add_argument(
        "--max-rejected",
        default="0",
        help="rows, or a share such as 1%%: of more that are no valid rows the exit code is 3; default: 0",
    )
    parser.add_argument("--resume", action="store_true", help="go on where a run was stopped")
    parser.add_argument("--force", action="store_true", help="begin anew where a run was stopped")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--workers", type=int, help="processes on this machine; default: one a core")
    where.add_argument("--scheduler", help="a Dask cluster, such as tcp://host:8786")
    return parser


def main() -> None:
    arguments = _parser().parse_args()
    kind = arguments.output.suffix.removeprefix(".")
    if kind and kind not in FORMATS:
        raise ConfigError(f"{arguments.output}: allowed are .parquet, .csv, .jsonl, or a folder")
    if kind and arguments.format not in (None, kind):
        raise ConfigError(f"{arguments.output}: its name says {kind}, --format {arguments.format}")
    arguments.format = kind or arguments.format or "parquet"
    if not re.fullmatch(r"\d+|\d+(\.\d+)?%", arguments.max_rejected):
        raise ConfigError(f"--max-rejected {arguments.max_rejected}: allowed are rows such as 100, or 1%")
    if arguments.workers is not None and arguments.workers < 1:
        raise ConfigError(f"--workers {arguments.workers}: allowed is 1 or more")
    logs.setup()
    settings = load_store_settings()
    bundle = model_for(settings, arguments.version)
    try:
        answered, rejected = run(arguments, bundle)
    except KeyboardInterrupt:
        print(f"stopped; --resume (RESUME=1) goes on with {arguments.output}", file=sys.stderr)
        sys.exit(128 + signal.SIGINT)
    name = f"{bundle.manifest.name} version {bundle.manifest.version}"
    print(f"{arguments.output}: {answered} rows of {arguments.input} have the predictions of {name}")
    if rejected:
        said = f"{arguments.output}.rejected: {rejected} rows are rejected, each with its reason"
        if rejected > most_rejected(arguments.max_rejected, answered + rejected):
            raise RejectedError(f"{said}; allowed were {arguments.max_rejected}")
        print(said)


if __name__ == "__main__":
    exit_on_error(main)

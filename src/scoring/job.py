"""What is to be scored, and how: all that a process needs to score a part, wherever it runs."""

from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import pyarrow as pa

from src.bundle.bundle import Bundle
from src.disk.files import beside, put_synced, write_file
from src.errors import DataError
from src.scoring.inputs import Input, Part
from src.scoring.model import Scorer
from src.scoring.outputs import open_output, write_rejected
from src.scoring.reading import Batch, Rejected, read_part
from src.scoring.rows import places, to_rows
from src.strict_model import StrictModel

Format = Literal["parquet", "csv", "jsonl"]
ROW, FILE = "row", "file"  # columns that say which row an answer is of, where no column of the table does


class Job(StrictModel):
    """`job.json`: a run that begins again with the same job may go on where another one ended."""

    inputs: tuple[Input, ...]
    model: str  # name of the model
    version: str
    digest: str  # of the bundle's manifest
    format: Format
    kept: tuple[str, ...]  # headers of the columns that stand beside the answers
    scores: bool  # whether there is a column for the probability of each class
    explained: bool

    @property
    def lineage(self) -> dict[str, str]:
        """What made the answers; stands in the metadata of Parquet."""
        return {"model": self.model, "model_version": self.version, "bundle_digest": self.digest}


class Done(StrictModel):
    """`part-….json`: a part that was scored, written after all else of it."""

    part: Part
    answered: int  # rows
    rejected: int  # rows


class Files(NamedTuple):
    """Where a part is written."""

    answers: Path
    rejected: Path
    done: Path


def files_of(work: Path, job: Job, number: int) -> Files:
    """Return the files of the part `number`, in the folder `work` of `job`."""
    stem = f"part-{number:06d}"
    return Files(work / f"{stem}.{job.format}", work / f"{stem}.rejected", work / f"{stem}.json")


def score_part(work: Path, job: Job, bundle: Bundle, part: Part) -> Done:
    """Score `part` and write what it gave to the folder `work`: the same bytes, whoever does it.

    Raises:
        DataError: the file of the part cannot be read any more.
    """
    one, files = job.inputs[part.file], files_of(work, job, part.number)
    scorer = _scorer(bundle, job.scores, job.explained)
    found = places(scorer.schema, one.named)
    headers = list(dict.fromkeys([*found.values(), *job.kept]))
    incoming, answered = beside(files.answers, "new"), 0
    rejected: list[Rejected] = []
    try:
        with open_output(incoming, job.format, job.lineage) as write:
            for batch in read_part(one, part, headers):
                columns = {name: _whole(batch.table[header]) for name, header in found.items()}
                features, faults = to_rows(scorer.schema, columns, decimal_comma=one.delimiter != ",")
                good = np.ones(len(batch.rows), dtype=bool)
                good[[fault.row for fault in faults]] = False
                rejected += batch.rejected
                for row, column, reason in faults:
                    line = None if batch.lines is None else int(batch.lines[row])
                    rejected.append(Rejected(int(batch.rows[row]), line, column, reason))
                if not good.all():
                    features = type(features)(features.numeric[good], features.categorical[good])
                write(pa.table({**_beside(job, one, batch, good), **scorer.answer(features)}))
                answered += int(good.sum())
        put_synced(incoming, files.answers)
    finally:
        incoming.unlink(missing_ok=True)
    write_file(files.rejected, write_rejected(one.name, sorted(rejected, key=lambda fault: fault.row)))
    done = Done(part=part, answered=answered, rejected=len({fault.row for fault in rejected}))
    write_file(files.done, done.model_dump_json().encode())
    return done


def check_columns(job: Job, bundle: Bundle) -> None:
    """Raise DataError unless each input of `job` has the columns it needs, none named as an answer."""
    scorer = _scorer(bundle, job.scores, job.explained)
    answers = scorer.names()
    for one in job.inputs:
        try:
            places(scorer.schema, one.named)
            if missing := [header for header in job.kept if header not in one.named]:
                raise DataError(f"column {missing[0]!r} is not there to be kept")
            if clash := [name for name in answers if name in job.kept]:
                raise DataError(f"column {clash[0]!r} cannot be kept: the answers have that name")
        except DataError as error:
            raise DataError(f"{one.name}: {error}") from error


_scorers: dict[tuple[str, bool, bool], Scorer] = {}  # the last one of this process


def _scorer(bundle: Bundle, scores: bool, explained: bool) -> Scorer:
    key = bundle.digest, scores, explained
    if key not in _scorers:
        _scorers.clear()  # a worker of a cluster outlives many models
        _scorers[key] = Scorer(bundle, scores, explained)
    return _scorers[key]


def _beside(job: Job, one: Input, batch: Batch, good: np.ndarray) -> dict[str, pa.Array]:
    """Return the columns beside the answers: those that are kept, or which row it is."""
    mask = pa.array(good)
    if job.kept:
        return {header: _whole(batch.table[header]).filter(mask) for header in job.kept}
    rows = {ROW: pa.array(batch.rows[good])}
    if len(job.inputs) == 1:
        return rows
    names = pa.DictionaryArray.from_arrays(
        pa.array(np.zeros(len(rows[ROW]), dtype=np.int32)), pa.array([one.name])
    )
    return {FILE: names, **rows}


def _whole(column: pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)

"""Stage `prepare`: check the source table, keep a copy of it, and split it into train and test."""

import logging
from pathlib import Path

import pandas as pd

from src import logs, paths
from src.cli import Parser
from src.data.remarks import doubts, of_doubts, remarks
from src.disk.files import write_file
from src.disk.lock import folder_locked
from src.errors import exit_on_error
from src.params import load_params
from src.tables import frames, processed
from src.tables.origin import read_source
from src.tasks import side

logger = logging.getLogger(__name__)


def main() -> None:
    Parser("src.data.prepare", __doc__).parse_args()
    logs.setup()
    params = load_params()
    data = params.data
    source = read_source(data.source, data.query)
    for remark in source.remarks:
        logger.warning("%s: %s", data.source, remark)
    texts = source.texts
    asked, data = data, frames.with_task(texts, data)
    if data.task is not None:
        params.check_task(data.task)
    table = frames.to_values(texts, data)
    # Before what follows may fail: they may say why.
    for remark in (*of_doubts(doubts(table, data)), *remarks(texts, table, data)):
        logger.warning(remark)
    prepared = frames.prepared(table, data)
    schema, rows = prepared.schema, pd.concat([prepared.train, prepared.test])
    chosen = "" if asked.task else ", set another with data.task"
    logger.info(
        "task: %s%s; %s",
        schema.task,
        chosen,
        side("src.tables.targets", schema.task).summary(rows[schema.target]),
    )
    paths.TRAIN.parent.mkdir(parents=True, exist_ok=True)
    with folder_locked(paths.TRAIN.parent):  # a training meanwhile sees all of these files, or none
        # What came in another form is kept as the CSV that it stands for.
        write_file(data.raw, processed.to_bytes(texts) if source.remarks else Path(data.source).read_bytes())
        processed.write_prepared(prepared, asked)
    train, test = len(prepared.train), len(prepared.test)
    logger.info(
        "prepared %s: %d rows to train, %d held out, in %s", data.source, train, test, paths.TRAIN.parent
    )


if __name__ == "__main__":
    exit_on_error(main)

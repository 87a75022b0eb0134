"""Every file a stage reads or writes, relative to the folder the command runs in."""

from pathlib import Path

PARAMS = Path("params.yaml")

RAW = Path("data/raw")  # prepare: <data.name>.csv, the table as it was read
TRAIN = Path("data/processed/train.csv")
TEST = Path("data/processed/test.csv")
BLOCKS = Path("data/processed/blocks.csv")  # where each training row belongs, with data.time or data.group
SCHEMA = Path("data/processed/schema.json")
PREPARED = Path("data/processed/prepared.json")  # what the files beside it were made from

CANDIDATE = Path("build/model")  # train: the model, not yet measured
TRAINING = CANDIDATE / "training.json"  # how it came to be
BUNDLE = Path("build/bundle")  # evaluate: the same with its metrics, ready to be published
NUMBERS = Path("build/metrics.json")  # evaluate: the few measures that `dvc metrics` compares
PLOTS = Path("build/plots")  # evaluate: pictures and the tables behind `dvc plots`

MODELS = Path("models")  # the bundle in service
MLRUNS = Path("mlruns")  # the record, and the default model store

_EXPERIMENTS = (".dvc", "tmp", "exps")  # where DVC copies a project to, to run a queued experiment


def of_project(path: Path) -> Path:
    """Return where `path` lies in the project itself: the copy that an experiment runs in is deleted.

    Models, the record and the store outlive a stage; what a stage reads and writes is the copy's own.
    """
    folders = Path.cwd().parts
    for end in range(len(folders) - len(_EXPERIMENTS)):
        if folders[end : end + len(_EXPERIMENTS)] == _EXPERIMENTS:
            return Path(*folders[:end]) / path
    return path

"""Every file a stage reads or writes, relative to the folder the command runs in."""

from pathlib import Path

PARAMS = Path("params.yaml")

RAW = Path("data/raw")  # prepare: <data.name>.csv, the table as it was read
TRAIN = Path("data/processed/train.csv")
TEST = Path("data/processed/test.csv")
SCHEMA = Path("data/processed/schema.json")

CANDIDATE = Path("build/model")  # train: the model, not yet measured
TRAINING = CANDIDATE / "training.json"  # how it came to be
BUNDLE = Path("build/bundle")  # evaluate: the same with its metrics, ready to be published
NUMBERS = Path("build/metrics.json")  # evaluate: the few measures that `dvc metrics` compares
PLOTS = Path("build/plots")  # evaluate: pictures and the tables behind `dvc plots`

MODELS = Path("models")  # the bundle in service
MLRUNS = Path("mlruns")  # the record, and the default model store

"""What is trained: `params.yaml`, checked whole."""

import math
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    ValidationError,
    model_validator,
)

from src import paths
from src.errors import ConfigError
from src.export.families.family import parameters_of
from src.export.families.registry import require_task
from src.export.families.section import KINDS, AutoParams, TrainParams
from src.schema.cells import MISSING, CellRule
from src.strict_model import StrictModel
from src.tasks import TASKS, TaskName
from src.validation import Problem, allowed, meant, problems, shown


def _check_range(value: tuple[float, float]) -> tuple[float, float]:
    if not (math.isfinite(value[0]) and math.isfinite(value[1])):
        raise ValueError("both ends must be finite numbers")
    if not value[0] <= value[1]:
        raise ValueError("the lowest comes first")
    return value


def _check_word(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError("each is a text, write it in quotes")
    return value


Word = Annotated[str, BeforeValidator(_check_word)]
Range = Annotated[tuple[float, float], Field(strict=False), AfterValidator(_check_range)]


class DataParams(StrictModel):
    """The table, what its cells mean, its target and how it is split."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    source: str = Field(min_length=1)
    query: str | None = Field(None, min_length=1)  # what a database is asked
    target: str = Field(min_length=1)
    drop: tuple[str, ...] = Field(strict=False)
    ranges: dict[str, Range]
    text: tuple[Word, ...] = Field((), strict=False)
    missing: tuple[Word, ...] | None = Field(None, strict=False)
    strip: bool = True
    target_missing: Literal["error", "drop"] = "error"
    rare_classes: Literal["error", "drop"] = "error"
    unusable: Literal["error", "drop"] = "error"
    task: TaskName | None = None  # None: what the target looks like
    time: str | None = None  # the column by which the last rows are held out
    group: str | None = None  # the column whose rows are held out together
    test_size: float = Field(gt=0, lt=1)
    random_state: int = Field(ge=0, lt=2**32)

    @property
    def target_task(self) -> TaskName:
        """What the target is read as; where the table did not decide yet, classes."""
        return self.task or "classification"

    @property
    def raw(self) -> Path:
        """The table as `prepare` read it."""
        return paths.RAW / f"{self.name}.csv"

    @property
    def cells(self) -> CellRule:
        """What texts mean; an empty one, in any case, that there is no value."""
        words = MISSING if self.missing is None else self.missing
        return CellRule(tuple(dict.fromkeys(("", *words))), self.strip)

    def model_name(self, task: TaskName) -> str:
        """Return the name in the model registry: `iris` becomes `IrisClassifier`."""
        return "".join(word.capitalize() for word in self.name.split("_")) + TASKS[task].model_suffix

    @model_validator(mode="after")
    def _refuse_two_splits(self) -> Self:
        if self.time is not None and self.group is not None:
            raise ValueError("time and group exclude each other: rows are held out by one of them")
        return self

    @model_validator(mode="after")
    def _refuse_a_password(self) -> Self:
        if re.search(r"://[^/@\s]*:[^/@\s]+@", self.source):
            raise ValueError(
                "source holds a password; keep the address in an environment variable: source: $MY_DATABASE"
            )
        return self

    @model_validator(mode="after")
    def _refuse_the_snapshot_as_source(self) -> Self:
        if Path(self.source) == self.raw:
            raise ValueError(
                f"source {self.source} is the file prepare writes; keep your table elsewhere, in data/"
            )
        return self


class EvaluateParams(StrictModel):
    """The gate: what a model must reach to be published."""

    min_accuracy: float | None = Field(None, ge=0, le=1)
    at_least: dict[str, float] = {}  # of measures by name
    at_most: dict[str, float] = {}
    beat_baseline_by: float = Field(ge=0)
    measure: str | None = None  # that the lead over the baseline is of; None: the task's primary measure

    @property
    def floors(self) -> list[tuple[str, str, float]]:
        """What a measure must reach: the key that says so, the measure, the number."""
        accuracy = [] if self.min_accuracy is None else [("min_accuracy", "accuracy", self.min_accuracy)]
        return accuracy + [(f"at_least.{name}", name, least) for name, least in self.at_least.items()]

    def check_task(self, task: TaskName) -> None:
        """Raise ConfigError when a measure that the gate asks for is none of `task`."""
        known = list(TASKS[task].measures)
        asked = {key: name for key, name, _ in self.floors}
        asked |= {f"at_most.{name}": name for name in self.at_most}
        asked |= {"measure": self.measure} if self.measure else {}
        for key, name in asked.items():
            if name not in known:
                raise ConfigError(
                    f"{paths.PARAMS}: evaluate.{key}: {task} has no {shown(name)}; "
                    f"allowed: {', '.join(known)}{meant(name, known)}"
                )


class Params(StrictModel):
    """`params.yaml`, whole: a missing key is an error, so the file is all there is to know."""

    data: DataParams
    train: TrainParams
    evaluate: EvaluateParams

    def check_task(self, task: TaskName) -> None:
        """Raise ConfigError when the model or the gate is none of `task`."""
        trained = self.train.candidates_for(task) if isinstance(self.train, AutoParams) else (self.train,)
        for one in trained:
            require_task(one, task)
        self.evaluate.check_task(task)


def load_params(path: Path = paths.PARAMS, overrides: Mapping[str, Any] | None = None) -> Params:
    """Return the parameters in `path`, with `overrides` such as {"train.max_depth": None} in their place.

    Raises:
        ConfigError: names the key, what it was and what is allowed.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: needs the sections {', '.join(Params.model_fields)}")
    for key, value in (overrides or {}).items():
        section, name = key.split(".")
        if isinstance(content.get(section), dict):
            content[section][name] = value
    try:
        return Params.model_validate(content)
    except ValidationError as error:
        raise ConfigError(f"{path}: {_explain(error)}") from error


def _explain(error: ValidationError) -> str:
    """Return one line: where, what is allowed there, and what it was."""
    found = [_as_in_the_file(problem) for problem in problems(error)]
    first = found[0]
    if first.kind == "unknown_parameter":
        others = (problem for problem in found if problem.kind == first.kind)
        return f"{first}; leave out {', '.join(shown(str(other.place[-1])) for other in others)}"
    if first.kind == "extra_forbidden":
        return str(first) + meant(str(first.place[-1]), _siblings(first.place))
    if first.kind == "missing" or isinstance(first.found, dict):
        return str(first)
    if what := first.allowed or allowed(Params, first):
        where = ".".join(shown(str(part)) for part in first.place)
        return f"{where}: {first.found!r}; allowed: {what}"
    return f"{first}, was {first.found!r}"


def _siblings(place: tuple[str | int, ...]) -> Iterable[str]:
    """Return the keys that there may be where `place` is."""
    model: Any = Params
    for name in place[:-1]:
        model = model.model_fields[name].annotation if name in model.model_fields else BaseModel
    return list(getattr(model, "model_fields", ()))


def _as_in_the_file(problem: Problem) -> Problem:
    """Return `problem` without the family that pydantic puts between `train` and its key."""
    if problem.place[:1] != ("train",):
        return problem
    inner = problem.place[2:]  # among the candidates of `auto`
    where = ("train", *inner, "model")
    if problem.kind == "union_tag_not_found":
        return Problem(where, "missing", "missing", None)
    if problem.kind == "union_tag_invalid":
        *names, last = [name for name in KINDS if name != "auto" or not inner]
        known = f"{', '.join(names)} or {last}"
        return Problem(where, problem.kind, "", problem.found["model"], known)
    _, *rest = problem.place
    if not rest:
        return problem
    name = str(rest[0])
    what = allowed(KINDS[name], problem._replace(place=tuple(rest[1:])))
    found = problem._replace(place=("train", *rest[1:]), allowed=what)
    if problem.kind != "extra_forbidden":
        return found
    keys = parameters_of(KINDS[name])
    message = f"{name} has no such parameter{meant(str(rest[-1]), keys)}; it has: {', '.join(keys)}"
    return found._replace(kind="unknown_parameter", message=message)

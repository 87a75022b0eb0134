"""`params.yaml`: what it may say, and the one line that tells what it may not."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from src.errors import ConfigError
from src.export.families.family import Family
from src.export.families.registry import FAMILIES
from src.export.families.section import AutoParams
from src.params import Params, load_params
from src.schema.cells import MISSING, CellRule
from src.tasks import TASKS
from tests.conftest import REPOSITORY
from tests.families import example

NAMES = (
    "allowed: random_forest, extra_trees, logistic_regression, ridge, elastic_net, hist_gradient_boosting"
    " or auto"
)


@pytest.fixture
def params_file() -> Path:
    return REPOSITORY / "params.yaml"


def params_with(folder: Path, train: object) -> Path:
    """Return a file as the repository's is, but with another section `train`."""
    content = yaml.safe_load((REPOSITORY / "params.yaml").read_text())
    path = folder / "params.yaml"
    path.write_text(yaml.safe_dump({**content, "train": train}, sort_keys=False))
    return path


def test_the_parameters_people_rely_on(params_file: Path) -> None:
    params = load_params(params_file)

    assert (params.data.test_size, params.data.random_state) == (0.2, 42)
    assert params.train.recorded() == {"model": "random_forest", "n_estimators": 200, "max_depth": 10}
    assert params.data.model_name("classification") == "IrisClassifier"
    assert params.data.raw == Path("data/raw/iris.csv")


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("train.n_estimators", 0, "train.n_estimators: 0; allowed: a whole number, 1 to 10000"),
        ("train.n_estimators", 5.0, "train.n_estimators: 5.0; allowed: a whole number, 1 to 10000"),
        ("train.max_depth", "ten", "train.max_depth: 'ten'; allowed: a whole number, 1 to 1000 or null"),
        ("data.test_size", True, "data.test_size: True; allowed: more than 0, less than 1"),
        ("data.test_size", 1, "data.test_size: 1; allowed: more than 0, less than 1"),
        ("data.colour", "red", "data.colour: unknown key"),
        ("data.testsize", 0.2, "data.testsize: unknown key, did you mean test_size?"),
        (
            "train.n_estimatorz",
            5,
            "train.n_estimatorz: random_forest has no such parameter, did you mean n_estimators?; it has:"
            " n_estimators, max_depth, class_weight; leave out n_estimatorz",
        ),
        (
            "train.model",
            "svm",
            f"train.model: 'svm'; {NAMES}",
        ),
        ("data.source", "data/raw/iris.csv", None),
        ("data.ranges", {"a": [1.0]}, None),
        ("data.ranges", {"a": [2.0, 1.0]}, "data.ranges.a: the lowest comes first, was [2.0, 1.0]"),
        (
            "data.ranges",
            {"a": [0, float("inf")]},
            "data.ranges.a: both ends must be finite numbers, was [0, inf]",
        ),
        ("data.missing", ["NA", None], "data.missing.1: each is a text, write it in quotes, was None"),
        ("data.text", [7], "data.text.0: each is a text, write it in quotes, was 7"),
        ("data.missing", "NA", None),
        ("data.strip", "yes", "data.strip: 'yes'; allowed: true or false"),
    ],
)
def test_a_wrong_parameter_says_which_what_it_was_and_what_is_allowed(
    params_file: Path, key: str, value: Any, message: str | None
) -> None:
    with pytest.raises(ConfigError) as error:
        load_params(params_file, {key: value})

    assert "\n" not in str(error.value)
    assert str(error.value).startswith(f"{params_file}: {key.split('.')[0]}")
    if message:
        assert str(error.value) == f"{params_file}: {message}"


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_a_family_has_its_own_parameters(tmp_path: Path, family: Family[Any]) -> None:
    train = example(family).model_dump()

    params = load_params(params_with(tmp_path, train))

    assert type(params.train) is family.params
    assert params.train.model_dump() == train


def test_auto_has_a_short_list_for_each_task_and_takes_another(tmp_path: Path) -> None:
    auto = load_params(params_with(tmp_path, {"model": "auto"})).train
    assert isinstance(auto, AutoParams)
    listed = {task: [one.model for one in auto.candidates_for(task)] for task in TASKS}
    assert listed == {
        "classification": ["logistic_regression", "random_forest", "hist_gradient_boosting"],
        "regression": ["ridge", "random_forest", "hist_gradient_boosting"],
    }
    named = [{"model": "ridge", "alpha": 10.0}, {"model": "ridge", "alpha": 0.1}]
    auto = load_params(params_with(tmp_path, {"model": "auto", "candidates": named, "folds": 3})).train
    assert isinstance(auto, AutoParams)
    assert [one.recorded() for one in auto.candidates_for("regression")] == named


@pytest.mark.parametrize(
    ("train", "message"),
    [
        ({"model": "auto", "folds": 1}, "train.folds: 1; allowed: a whole number, 2 to 20"),
        ({"model": "auto", "fold": 3}, "did you mean folds?; it has: folds, candidates; leave out fold"),
        ({"model": "auto", "candidates": []}, "train.candidates"),
        (
            {"model": "auto", "candidates": [{"model": "svm"}]},
            "train.candidates.0.model: 'svm'; allowed: random_forest, ",
        ),
        (
            {"model": "auto", "candidates": [{"model": "auto"}]},
            "train.candidates.0.model: 'auto'; allowed: random_forest, ",
        ),
        (
            {"model": "auto", "candidates": [{"model": "ridge", "alpha": -1.0}]},
            "train.candidates.0.ridge.alpha",
        ),
    ],
)
def test_a_wrong_list_of_families_is_one_line(tmp_path: Path, train: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as error:
        load_params(params_with(tmp_path, train))

    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_family_of_another_task_is_refused_before_anything_is_tried(tmp_path: Path) -> None:
    params = load_params(params_with(tmp_path, {"model": "auto", "candidates": [{"model": "ridge"}]}))

    with pytest.raises(
        ConfigError, match="train.model: ridge does no classification; allowed: random_forest"
    ):
        params.check_task("classification")


FOREST = {"model": "random_forest", "n_estimators": 200, "max_depth": 10}
NONE = "logistic_regression has no such parameter; it has: C, class_weight; leave out"
HAS = "has no such parameter; it has: n_estimators, max_depth, class_weight; leave out"


@pytest.mark.parametrize(
    ("train", "message"),
    [
        ({**FOREST, "model": "logistic_regression"}, f"train.n_estimators: {NONE} n_estimators, max_depth"),
        ({"model": "logistic_regression", "n_estimators": 200}, f"train.n_estimators: {NONE} n_estimators"),
        ({"model": "logistic_regression", "max_depth": None}, f"train.max_depth: {NONE} max_depth"),
        ({**FOREST, "C": 1.0}, f"train.C: random_forest {HAS} C"),
        ({**FOREST, "model": "extra_trees", "C": 1, "l": 2}, f"train.C: extra_trees {HAS} C, l"),
        ({**FOREST, "a\nb": 1}, f"train.a\\nb: random_forest {HAS} a\\nb"),
        ({**FOREST, 5: 1}, "train.5: Keys should be strings, was 5"),
        ({"model": "random_forest", "max_depth": 10}, "train.n_estimators: missing"),
        ({"model": "extra_trees", "n_estimators": 10}, "train.max_depth: missing"),
        (
            {**FOREST, "model": "extra_trees", "max_depth": True},
            "train.max_depth: True; allowed: a whole number, 1 to 1000 or null",
        ),
        (
            {**FOREST, "n_estimators": 10_001},
            "train.n_estimators: 10001; allowed: a whole number, 1 to 10000",
        ),
        ({**FOREST, "model": "svm"}, f"train.model: 'svm'; {NAMES}"),
        ({**FOREST, "model": "Random_Forest"}, f"train.model: 'Random_Forest'; {NAMES}"),
        ({**FOREST, "model": None}, f"train.model: None; {NAMES}"),
        ({**FOREST, "model": True}, f"train.model: True; {NAMES}"),
        ({**FOREST, "model": 5}, f"train.model: 5; {NAMES}"),
        ({**FOREST, "model": ["random_forest"]}, f"train.model: ['random_forest']; {NAMES}"),
        ({"n_estimators": 200, "max_depth": 10}, "train.model: missing"),
        ({}, "train.model: missing"),
        (
            None,
            "train: Input should be a valid dictionary or object to extract fields from, was None",
        ),
    ],
)
def test_a_wrong_section_train_is_one_line(tmp_path: Path, train: object, message: str) -> None:
    path = params_with(tmp_path, train)

    with pytest.raises(ConfigError) as error:
        load_params(path)

    assert str(error.value) == f"{path}: {message}"


def test_every_family_is_named_when_there_is_no_such(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as error:
        load_params(params_with(tmp_path, {"model": "svm"}))

    assert all(family.name in str(error.value) for family in FAMILIES)


def test_an_override_of_none_is_not_an_absent_one(params_file: Path) -> None:
    assert load_params(params_file, {"train.max_depth": None}).train.model_dump()["max_depth"] is None
    assert load_params(params_file, {}).train.model_dump()["max_depth"] == 10


@pytest.mark.parametrize(
    ("given", "missing"),
    [({}, ("", *MISSING)), ({"data.missing": []}, ("",)), ({"data.missing": ["?", "", "?"]}, ("", "?"))],
)
def test_an_empty_cell_is_missing_in_any_case(
    params_file: Path, given: dict[str, Any], missing: tuple[str, ...]
) -> None:
    assert load_params(params_file, given).data.cells == CellRule(missing, strip=True)
    assert load_params(params_file, {"data.missing": None}).data.cells.missing == ("", *MISSING)


@pytest.mark.parametrize("section", list(Params.model_fields))
def test_a_missing_key_is_an_error_that_names_it(params_file: Path, tmp_path: Path, section: str) -> None:
    for key, field in type(getattr(load_params(params_file), section)).model_fields.items():
        if not field.is_required():
            continue
        lines = params_file.read_text().splitlines(keepends=True)
        shorter = tmp_path / "params.yaml"
        shorter.write_text("".join(line for line in lines if not line.startswith(f"  {key}:")))

        with pytest.raises(ConfigError) as error:
            load_params(shorter)

        assert str(error.value) == f"{shorter}: {section}.{key}: missing"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "needs the sections data, train, evaluate"),
        ("- 1\n", "needs the sections data, train, evaluate"),
        ("data: 1\n", "data: Input should be a valid dictionary or instance of DataParams, was 1"),
        ("data: [\n", None),
        ("data: \xff\n", None),
    ],
)
def test_a_broken_file_is_one_line(tmp_path: Path, content: str, message: str | None) -> None:
    path = tmp_path / "params.yaml"
    path.write_bytes(content.encode("latin-1"))

    with pytest.raises(ConfigError) as error:
        load_params(path)

    assert "\n" not in str(error.value)
    assert str(error.value).startswith(f"{path}: ")
    if message:
        assert str(error.value) == f"{path}: {message}"


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="params.yaml: No such file or directory"):
        load_params(tmp_path / "params.yaml")

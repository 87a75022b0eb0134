from pathlib import Path

import pytest

from src import paths
from src.bundle.bundle import sha256
from src.data import prepare
from src.errors import ConfigError, DataError
from src.params import Params, load_params
from src.training.train import options_to_params, parse, prepared_for
from tests.conftest import run
from tests.mixed import write_mixed


def params_of(*arguments: str) -> Params:
    return options_to_params(parse(arguments))


def test_without_options_the_parameters_are_those_of_the_file(workspace: Path) -> None:
    assert params_of() == load_params()


def test_options_replace_parameters(workspace: Path) -> None:
    params = params_of(
        "--n-estimators", "7", "--max-depth", "3", "--test-size", "0.3", "--random-state", "0"
    )  # fmt: skip

    assert params.train.recorded() == {"model": "random_forest", "n_estimators": 7, "max_depth": 3}
    assert (params.data.test_size, params.data.random_state) == (0.3, 0)


def test_none_and_absent_depths_are_told_apart(workspace: Path) -> None:
    assert params_of("--max-depth", "None").train.model_dump()["max_depth"] is None
    assert params_of("--n-estimators", "7").train.model_dump()["max_depth"] == 10


def test_options_of_a_forest_are_those_of_extra_trees_too(workspace: Path) -> None:
    paths.PARAMS.write_text(paths.PARAMS.read_text().replace("random_forest #", "extra_trees #"))

    params = params_of("--n-estimators", "7", "--max-depth", "None")

    assert params.train.recorded() == {"model": "extra_trees", "n_estimators": 7, "max_depth": None}


@pytest.mark.parametrize(
    ("arguments", "keys"),
    [
        (["--n-estimators", "7"], ["n_estimators"]),
        (["--max-depth", "None"], ["max_depth"]),
        (["--n-estimators", "7", "--max-depth", "3"], ["n_estimators", "max_depth"]),
    ],
)
def test_options_that_the_family_does_not_have_are_refused(
    workspace: Path, arguments: list[str], keys: list[str]
) -> None:
    write_mixed(workspace, model="logistic_regression")

    with pytest.raises(ConfigError) as error:
        params_of(*arguments)

    assert str(error.value) == (
        f"command line: train.{keys[0]}: logistic_regression has no such parameter; it has: C, class_weight; "
        f"leave out {', '.join(keys)}"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--max-depth", "0"], "train.max_depth: 0; allowed: a whole number, 1 to 1000 or null"),
        (["--n-estimators", "0"], "train.n_estimators: 0; allowed: a whole number, 1 to 10000"),
        (["--test-size", "0"], "data.test_size: 0.0; allowed: more than 0, less than 1"),
        (["--test-size", "nan"], "data.test_size: nan; allowed: more than 0, less than 1"),
        (["--random-state", "-1"], "data.random_state: -1; allowed: a whole number, 0, less than 4294967296"),
    ],
)
def test_an_impossible_option_says_what_is_allowed(
    workspace: Path, arguments: list[str], message: str
) -> None:
    with pytest.raises(ConfigError) as error:
        params_of(*arguments)

    assert str(error.value) == f"command line: {message}"


def test_an_impossible_file_is_not_blamed_on_the_command_line(workspace: Path) -> None:
    paths.PARAMS.write_text(paths.PARAMS.read_text().replace("max_depth: 10", "max_depth: 0"))

    with pytest.raises(ConfigError, match="params.yaml: train.max_depth: 0; allowed: a whole number"):
        params_of("--n-estimators", "7")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--max-depth", "deep"], "argument --max-depth: 'deep' is neither a whole number nor None"),
        (["--n-estimators", "1.5"], "argument --n-estimators: invalid int value: '1.5'"),
        (["--tag", "team"], "argument --tag: expected 2 arguments"),
    ],
)
def test_an_option_of_the_wrong_kind_is_refused(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit_:
        parse(arguments)

    assert exit_.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1] == (
        f"error: {message}; see python -m src.training.train --help"
    )


def test_names_and_tags_are_kept(workspace: Path) -> None:
    options = parse(["--run-name", "first", "--tag", "team", "blue", "--tag", "why", "test it"])

    assert options.run_name == "first"
    assert dict(options.tag) == {"team": "blue", "why": "test it"}


def test_tables_that_fit_the_parameters_stay_untouched(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(prepare.main)
    before = {path: path.stat().st_mtime_ns for path in Path("data/processed").iterdir()}
    capsys.readouterr()

    prepared, recipe = prepared_for(load_params().data, split_again=False)

    assert (len(prepared.train), len(prepared.test)) == (120, 30)
    assert recipe.test_digest == sha256(paths.TEST.read_bytes())
    assert {path: path.stat().st_mtime_ns for path in Path("data/processed").iterdir()} == before
    assert capsys.readouterr().err == ""


def test_another_split_replaces_the_tables_and_says_so(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(prepare.main)
    before = paths.TEST.read_bytes()
    capsys.readouterr()

    prepared_for(params_of("--test-size", "0.4", "--random-state", "1").data, split_again=True)

    assert len(paths.TEST.read_text().splitlines()) == 61
    assert capsys.readouterr().err == (
        "INFO    split data/raw/iris.csv again into data/processed: test_size 0.4, random_state 1\n"
    )
    prepared_for(load_params().data, split_again=True)
    assert paths.TEST.read_bytes() == before


def test_tables_for_other_parameters_are_not_trained_on(workspace: Path) -> None:
    run(prepare.main)
    before = paths.TEST.read_bytes()
    text = paths.PARAMS.read_text()
    paths.PARAMS.write_text(text.replace("test_size: 0.2", "test_size: 0.3"))

    with pytest.raises(DataError) as error:
        prepared_for(load_params().data, split_again=False)

    assert str(error.value) == (
        "data/processed was prepared with data.test_size 0.2, now 0.3; run python -m src.data.prepare first"
    )
    assert paths.TEST.read_bytes() == before


def test_another_snapshot_is_not_trained_on(workspace: Path) -> None:
    run(prepare.main)
    with Path("data/raw/iris.csv").open("a") as file:
        file.write("5.1,3.5,1.4,0.2,setosa\n")

    with pytest.raises(DataError, match="was prepared with another data/raw/iris.csv; run python -m src"):
        prepared_for(load_params().data, split_again=False)


def test_tables_that_are_not_whole_are_not_trained_on(workspace: Path) -> None:
    run(prepare.main)
    paths.PREPARED.unlink()

    with pytest.raises(DataError, match="prepared.json: no such file; run python -m src.data.prepare first"):
        prepared_for(load_params().data, split_again=False)


def test_without_a_snapshot_the_first_stage_is_named(workspace: Path) -> None:
    with pytest.raises(
        DataError, match=r"data/raw/iris.csv: no such file; run python -m src.data.prepare first"
    ):
        prepared_for(load_params().data, split_again=False)

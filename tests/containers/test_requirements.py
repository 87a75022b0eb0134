import tomllib
from typing import Any

from scripts.requirements import requirements
from tests.conftest import REPOSITORY

NEVER_SERVED = {"dvc", "mlflow", "onnx", "pandas", "pip", "pyyaml", "scikit-learn", "setuptools"}


def package(name: str, groups: list[str], markers: Any = None) -> dict[str, Any]:
    found = {
        "name": name,
        "version": "1.2",
        "groups": groups,
        "files": [{"hash": "sha256:a"}, {"hash": "sha256:b"}],
    }
    return found if markers is None else {**found, "markers": markers}


def test_a_group_gives_its_packages_with_every_hash() -> None:
    lock = {"package": [package("one", ["serving", "dev"]), package("two", ["dev"])]}

    assert list(requirements(lock, ["serving"])) == ["one==1.2 --hash=sha256:a --hash=sha256:b"]


def test_a_marker_is_kept() -> None:
    lock = {"package": [package("one", ["serving"], 'sys_platform != "win32"')]}

    [line] = requirements(lock, ["serving"])

    assert line.startswith('one==1.2 ; sys_platform != "win32" --hash')


def test_a_package_is_needed_when_one_of_the_groups_needs_it() -> None:
    markers = {"serving": 'python_version < "3.12"', "pipeline": 'python_version < "3.13"'}
    lock = {"package": [package("one", ["serving", "pipeline", "dev"], markers)]}

    [one] = requirements(lock, ["serving"])
    [either] = requirements(lock, ["serving", "pipeline"])
    [always] = requirements(lock, ["serving", "dev"])

    assert one.startswith('one==1.2 ; (python_version < "3.12") --hash')
    assert either.startswith('one==1.2 ; (python_version < "3.12") or (python_version < "3.13") --hash')
    assert always.startswith("one==1.2 --hash")


def test_the_api_is_locked_without_the_pipeline() -> None:
    lock = tomllib.loads((REPOSITORY / "poetry.lock").read_text())

    lines = list(requirements(lock, ["serving"]))

    assert {line.split("==")[0] for line in lines}.intersection(NEVER_SERVED) == set()
    assert all("--hash=sha256:" in line for line in lines)

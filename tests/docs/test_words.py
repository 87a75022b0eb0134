"""The check of commands that are not run finds what is not there."""

import pytest

from tests.conftest import REPOSITORY
from tests.docs.blocks import Block
from tests.docs.words import unknown


@pytest.mark.parametrize(
    ("command", "found"),
    [
        ("make run", []),
        ("make fly", ["the target fly"]),
        ("make run-docker && make fly", ["the target fly"]),
        ("make bench BENCH_ARGS=--smoke", []),
        ("make bench BENCH_ARG=--smoke", ["the variable BENCH_ARG of make"]),
        ("WORKERS=2 make run", []),
        ("WORKER=2 make run", ["the variable WORKER"]),
        ("export API_KYE=1", ["the variable API_KYE"]),
        ("PROJECT=mine\necho $PROJECT", []),
        ("python -m src.promotion.rollback", []),
        ("python -m src.serving", []),
        ("python -m src.promotion.roll", ["the module src.promotion.roll"]),
        ("python -m src.training.train --n-estimators 5", []),
        ("python -m src.training.train --trees=5", ["the flag --trees of src.training.train"]),
        ("scripts/setup.sh --lock", []),
        ("scripts/setup.sh --locked", ["the flag --locked of scripts/setup.sh"]),
        ("scripts/set-up.sh", ["the file scripts/set-up.sh"]),
        ("cp k8s/monitoring/secrets.yaml.example secrets.yaml\nkubectl apply -f secrets.yaml", []),
        ("kubectl apply -f \\\n  secret.yaml", ["the file secret.yaml"]),
        ("kubectl logs deployment/api", []),
        ("dvc exp run -S train.n_estimators=50", []),
        ("dvc exp run -S train.trees=50", ["the parameter train.trees"]),
        ("curl localhost:8000/predict -d '{}'", []),
    ],
)
def test_what_is_not_there_is_found(command: str, found: list[str]) -> None:
    block = Block(REPOSITORY / "README.md", 1, "bash", command + "\n", None)

    assert unknown(block, block.text) == found

"""What the pages say in words and numbers is what the code says."""

import re
import tomllib

import pytest
import yaml

from src.bundle import bundle
from src.config import MIN_KEY_LENGTH, Settings
from src.errors import GateError, UsageError
from src.runtime.answers.classification import TOLERANCE
from src.schema.cells import MISSING
from src.training.fit import EDGE_ROWS
from src.training.train import parse
from src.version import VERSION
from tests.conftest import REPOSITORY
from tests.docs.blocks import PAGES

TEXTS = {str(page.relative_to(REPOSITORY)): page.read_text(encoding="utf-8") for page in PAGES}
WORDS = {10: "ten", 30: "thirty"}
PYTHONS = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["requires-python"]


def default(setting: str) -> str:
    return str(Settings.model_fields[setting].default)


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("README.md", f"an API key of {MIN_KEY_LENGTH} characters"),
        (
            "docs/reference.md",
            f"more than {WORDS[int(default('rate_limit_wrong_key').split('/')[0])]} invalid ones a minute",
        ),
        ("README.md", f"on port {default('port')}"),
        ("docs/troubleshooting.md", f"| exit code {GateError.exit_code} | the model missed the quality gate"),
        (
            "docs/troubleshooting.md",
            f"and exit code {UsageError.exit_code} | a setting, an argument or the table is wrong",
        ),
        ("README.fr.md", f"une clé de {MIN_KEY_LENGTH} caractères"),
        ("docs/architecture.md", f"on {EDGE_ROWS:,} made-up ones"),
        ("docs/architecture.md", f"exit code {GateError.exit_code}"),
        ("docs/architecture.md", f"logistic regression to {TOLERANCE:g}"),
        ("docs/serving-containerisation.md", f"a key of {MIN_KEY_LENGTH} characters"),
        ("docs/experimentation.md", ", ".join(f"`{word}`" for word in MISSING)),
    ],
)
def test_a_number_is_the_codes(page: str, said: str) -> None:
    assert said in TEXTS[page]


def test_pythons_are_those_that_are_supported() -> None:
    low, high = re.findall(r"3\.(\d+)", PYTHONS)
    versions = [f"3.{minor}" for minor in range(int(low), int(high))]
    listed = f"{', '.join(versions[:-1])} or {versions[-1]}"

    assert f"Python {listed}." in TEXTS["README.md"]
    assert f"Python {listed.replace('or', 'ou')}." in TEXTS["README.fr.md"]


def test_images_have_the_version_of_the_product() -> None:
    named = {
        tag for text in TEXTS.values() for tag in re.findall(r"mlops-core(?:-pipeline)?:(\d[\w.]*)", text)
    }

    assert named <= {VERSION}


def test_every_option_of_the_training_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["--help"])
    options = set(re.findall(r"--[a-z-]+", capsys.readouterr().out)) - {"--help"}

    section = TEXTS["docs/experimentation.md"].split("### Options of the training\n")[1].split("\n### ")[0]

    assert set(re.findall(r"--[a-z-]+", section)) == options


def test_drift_is_said_as_the_rule_has_it() -> None:
    rules = yaml.safe_load((REPOSITORY / "k8s/monitoring/rules/drift.yaml").read_text())
    (rule,) = [
        rule for group in rules["groups"] for rule in group["rules"] if rule.get("alert") == "FeatureDrift"
    ]

    assert "> 0.25" in rule["expr"]
    assert "over 0.25 the column has drifted" in TEXTS["docs/observability.md"]


def test_services_of_the_system_are_those_of_compose() -> None:
    named = re.findall(r"deploy/compose/(\w+)\.env", TEXTS["docs/serving-containerisation.md"])

    assert sorted(named) == sorted(path.stem for path in (REPOSITORY / "deploy/compose").glob("*.env"))


def test_overlays_are_those_there_are() -> None:
    named = re.findall(r"^\| `deploy/overlays/([\w-]+)`", TEXTS["docs/infrastructure.md"], flags=re.MULTILINE)

    assert sorted(named) == sorted(path.name for path in (REPOSITORY / "deploy/overlays").iterdir())


def test_every_bundle_file_is_said() -> None:
    rows = re.findall(
        r"^\| (`\w+\.\w+`(?:, `\w+\.\w+`)*) \|", TEXTS["docs/architecture.md"], flags=re.MULTILINE
    )
    named = [name for row in rows for name in re.findall(r"\w+\.\w+", row)]

    assert sorted(named) == sorted([bundle.MANIFEST, *bundle.FILES, *bundle.OPTIONAL])

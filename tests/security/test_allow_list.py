"""What the search for secrets lets pass is little, and said why."""

import tomllib

from tests.conftest import REPOSITORY

CONFIG = tomllib.loads((REPOSITORY / "scripts/ci/gitleaks.toml").read_text())


def test_every_rule_of_the_tool_is_kept() -> None:
    assert CONFIG["extend"] == {"useDefault": True}
    assert set(CONFIG) <= {"extend", "allowlists"}


def test_what_may_stay_has_its_reason() -> None:
    for entry in CONFIG.get("allowlists", []):
        assert len(entry["description"].split()) >= 4
        assert set(entry) - {"description", "condition", "regexTarget"} <= {
            "commits",
            "paths",
            "regexes",
            "targetRules",
        }


def test_nothing_is_let_pass_elsewhere() -> None:
    assert not (REPOSITORY / ".gitleaksignore").exists()

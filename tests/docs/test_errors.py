"""Every error of the API has a section of the page that its `type` links to."""

import re

from src.serving.problems import ERRORS
from tests.conftest import REPOSITORY

PAGE = (REPOSITORY / "docs/errors.md").read_text(encoding="utf-8")
CODE = re.compile(
    r"Problem\(\s*(?:HTTPStatus\.\w+|status),\s*\"([a-z_]+)\"|(?:\"|= )\"?(malformed_json|bad_request)\""
)


def codes() -> set[str]:
    texts = [path.read_text(encoding="utf-8") for path in (REPOSITORY / "src/serving").rglob("*.py")]
    return {first or second for text in texts for first, second in CODE.findall(text)}


def test_every_code_is_explained() -> None:
    explained = {heading.replace(" ", "_") for heading in re.findall(r"^## (.+)$", PAGE, flags=re.MULTILINE)}

    assert ERRORS.endswith("/docs/errors.md")
    assert len(codes()) > 12
    assert codes() - explained == set()
    assert explained - codes() <= {"not_found"}

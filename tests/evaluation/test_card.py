"""The model card says what a model is, in two forms, and nothing of a table becomes markup."""

from types import SimpleNamespace
from typing import Any

import pytest

from src.bundle.bundle import Training
from src.evaluation.card import card
from src.evaluation.gate import Gate
from src.schema.columns import Schema
from src.tasks import CLASSIFICATION

MEASURED: Any = SimpleNamespace(
    rows=30,
    baseline=SimpleNamespace(**dict.fromkeys(CLASSIFICATION.measures, 0.3)),
    importances={"petal_width": 0.25, "sepal_length": 0.5},
    **dict.fromkeys(CLASSIFICATION.measures, 0.9),
)
PASSED = Gate(
    measure="accuracy",
    min_accuracy=0.8,
    at_least={},
    at_most={},
    beat_baseline_by=0.1,
    missed=(),
    passed=True,
)
HOSTILE = "<script>alert(1)</script>|`x`"


def texts(training: Training, schema: Schema, gate: Gate = PASSED) -> tuple[str, str]:
    made = card(training, schema, "what a shuffle loses", MEASURED, {"accuracy": (0.8, 0.9512)}, gate)
    return made["card.md"].decode(), made["card.html"].decode()


def test_the_card_has_what_people_ask_for(training: Training, schema: Schema) -> None:
    markdown, page = texts(training, schema)

    assert markdown.startswith("# IrisClassifier version 7\n\n## Model details\n")
    assert "| sepal length (cm) | float | 0.7 to 11.5 | no |" in markdown
    assert "| accuracy | 0.9000 | 0.8000 to 0.9512 | 0.3000 |" in markdown
    assert markdown.index("sepal_length") < markdown.index("petal_width")
    assert "Measured on 30 rows that were held out; the intervals are bootstrapped." in markdown
    assert "The model passed the quality gate." in markdown
    assert [line for line in markdown.splitlines() if line.startswith("## ")] == [
        "## Model details",
        "## Training data",
        "## Quality",
        "## Feature importance",
        "## Limitations",
    ]
    assert "<td>sepal length (cm)</td><td>float</td><td>0.7 to 11.5</td><td>no</td>" in page


def test_the_card_says_what_was_missed(training: Training, schema: Schema) -> None:
    gate = PASSED.model_copy(update={"missed": ("accuracy is 0.5",), "passed": False})

    assert "Not published: accuracy is 0.5." in texts(training, schema, gate)[0]


def test_no_text_becomes_markup(training: Training, schema: Schema) -> None:
    column = schema.columns[0].model_copy(update={"header": HOSTILE})
    changed = schema.model_copy(update={"columns": (column, *schema.columns[1:]), "target_header": HOSTILE})

    markdown, page = texts(training.model_copy(update={"name": HOSTILE}), changed)

    assert "<script>" not in page
    assert "\\<script>alert(1)\\</script>\\|\\`x\\`" in markdown
    assert " <script>" not in markdown


@pytest.mark.parametrize("count", [10, 5_000])
def test_a_wide_table_has_a_card_that_can_be_read(training: Training, schema: Schema, count: int) -> None:
    columns = tuple(
        schema.columns[0].model_copy(update={"name": f"x{place}", "header": "h" * 500 + str(place)})
        for place in range(count)
    )
    markdown, page = texts(training, schema.model_copy(update={"columns": columns}))

    assert len(markdown) < 60_000 and len(page) < 60_000
    assert ("… and 4950 more" in page) is (count == 5_000)

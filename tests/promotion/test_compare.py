"""Two versions are compared on the rows that both were measured on, and chance is told from progress."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from src.config import Settings
from src.data import prepare
from src.errors import RegistryError
from src.evaluation import evaluate
from src.promotion import compare
from src.promotion.publish import publish
from src.training import train
from tests.conftest import run


@pytest.mark.usefixtures("workspace")
def test_two_trainings_are_laid_side_by_side(capsys: pytest.CaptureFixture[str]) -> None:
    run(prepare.main)
    for arguments in ([], ["--max-depth", "1"]):
        run(train.main, *arguments)
        run(evaluate.main, "--no-publish")
        publish(Path("build/bundle"), Settings())
    capsys.readouterr()

    run(compare.main, "1", "2")

    lines = {line.split()[0]: line.split()[1:] for line in capsys.readouterr().out.splitlines() if line}
    assert float(lines["log_loss"][0]) + float(lines["log_loss"][2]) == pytest.approx(
        float(lines["log_loss"][1]), abs=2e-4
    )
    assert float(lines["log_loss"][3]) < float(lines["log_loss"][2]) < float(lines["log_loss"][5])
    page = compare.REPORT.read_text()
    assert "<td>max_depth</td><td>10</td><td>1</td>" in page
    assert len(re.findall('<img alt="[a-z_.]+" src="data:image/png;base64,', page)) == 10
    assert "http" not in page


def test_versions_of_other_rows_have_no_intervals(
    candidate: Callable[..., Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compare, "_pictures", lambda bundle: {})
    publish(candidate("1"), Settings())
    publish(candidate("2", {"accuracy": 0.95}, parameters={"C": "<1>"}), Settings())

    run(compare.main, "1", "2")

    shown = capsys.readouterr().out
    assert "accuracy                0.9000    0.9500   +0.0500\n" in shown
    assert compare.NO_INTERVALS in shown
    assert "<td>C</td><td>-</td><td>&lt;1&gt;</td>" in compare.REPORT.read_text()


def test_a_version_that_is_not_there_leaves_no_report(candidate: Callable[..., Path]) -> None:
    publish(candidate("1"), Settings())

    with pytest.raises(RegistryError, match="no version 3; there are: 1-"):
        run(compare.main, "1", "3")

    assert not compare.REPORT.exists()

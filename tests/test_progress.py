import io
import logging
import re
import sys
from pathlib import Path

import pytest

from src import logs
from src.progress import step

DONE = r"INFO    fitting: \d+\.\d s\n"


def test_a_step_is_one_plain_line_where_there_is_no_terminal(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.setup()

    with step("fitting"):
        assert capsys.readouterr().err == ""

    assert re.fullmatch(DONE, capsys.readouterr().err)


def test_a_terminal_shows_what_is_being_done_and_lines_stand_above_it(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    logs.setup()

    with step("fitting"):
        logging.getLogger("src.training").warning("slow")

    shown = terminal.getvalue()
    assert shown.count("fitting") >= 2
    assert "WARNING slow\n" in shown
    assert re.search(rf"(^|\x1b\[2K){DONE}$", shown)


def test_a_step_that_fails_is_not_reported_as_done(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.setup()

    with pytest.raises(KeyboardInterrupt), step("fitting"):
        raise KeyboardInterrupt

    assert capsys.readouterr().err == ""

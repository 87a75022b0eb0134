from errno import EACCES, ENOSPC

import pytest

from src.errors import ConfigError, GateError, MlopsError, RegistryError, exit_on_error


@pytest.mark.parametrize(
    ("error", "code"), [(ConfigError("bad"), 2), (GateError("bad"), 3), (RegistryError("bad"), 1)]
)
def test_a_known_failure_is_one_line_and_its_exit_code(
    error: MlopsError, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    def main() -> None:
        raise error

    with pytest.raises(SystemExit) as exit:
        exit_on_error(main)

    assert exit.value.code == code
    assert capsys.readouterr().err == "error: bad\n"


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (PermissionError(EACCES, "Permission denied", "build/x"), "error: build/x: Permission denied\n"),
        (OSError(ENOSPC, "No space left on device"), "error: No space left on device\n"),
        (OSError("cannot be read"), "error: cannot be read\n"),
    ],
)
def test_what_the_system_refuses_is_one_line(
    error: OSError, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def main() -> None:
        raise error

    with pytest.raises(SystemExit) as exit:
        exit_on_error(main)

    assert exit.value.code == 1
    assert capsys.readouterr().err == line


def test_a_success_exits_nothing() -> None:
    exit_on_error(lambda: None)


def test_a_defect_of_ours_keeps_its_traceback() -> None:
    def main() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        exit_on_error(main)

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from src.validation import first_problem, problems


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")

    size: int

    @field_validator("size")
    @classmethod
    def _refuse_odd(cls, value: int) -> int:
        if value % 2:
            raise ValueError("must be even")
        return value


class Outer(BaseModel):
    parts: list[Inner]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ({"parts": [{"size": 2}, {"size": 3}]}, "parts.1.size: must be even"),
        ({"parts": [{}]}, "parts.0.size: missing"),
        ({"parts": [{"size": 2, "colour": 1}]}, "parts.0.colour: unknown key"),
        ({"parts": [{"size": 2, "a\nb": 1}]}, "parts.0.a\\nb: unknown key"),
        ({"parts": [{"size": 2, "x" * 1000: 1}]}, f"parts.0.{'x' * 60}…: unknown key"),
        ({"parts": [{"size": "secret"}]}, None),
        ([], "Input should be a valid dictionary or instance of Outer"),
    ],
)
def test_a_problem_is_one_line_without_the_value(content: object, line: str | None) -> None:
    with pytest.raises(ValidationError) as error:
        Outer.model_validate(content)

    told = str(first_problem(error.value))
    assert "secret" not in told
    assert line is None or told == line


def test_all_problems_are_told_in_their_order() -> None:
    with pytest.raises(ValidationError) as error:
        Outer.model_validate({"parts": [{"size": 1, "colour": 1}, {}]})

    assert [str(problem) for problem in problems(error.value)] == [
        "parts.0.size: must be even",
        "parts.0.colour: unknown key",
        "parts.1.size: missing",
    ]

"""The columns of a table, and what is predicted from them."""

from typing import Annotated, Literal

from pydantic import Field

from src.schema.cells import CellRule
from src.strict_model import StrictModel
from src.tasks import TaskName

MAX_CATEGORIES = 1_000
MAX_CLASSES = 100
MAX_TEXT = 256  # characters of one categorical value in a request
FLOAT32_MAX = float.fromhex("0x1.fffffep+127")  # scikit-learn's trees refuse more


class NumericColumn(StrictModel):
    """A number; `lowest` and `highest` are what a request may hold, wider than what training saw."""

    name: str
    header: str  # as the source table spells it
    type: Literal["float", "integer", "boolean"]
    nullable: bool
    lowest: float
    highest: float


class CategoryColumn(StrictModel):
    """A text; a request may hold one that training did not see, the model then ignores it."""

    name: str
    header: str
    type: Literal["category"]
    nullable: bool
    categories: tuple[str, ...] = Field(fail_fast=True)


Column = Annotated[NumericColumn | CategoryColumn, Field(discriminator="type")]


class Schema(StrictModel):
    """The features in the order of the table, and what is predicted from them."""

    columns: tuple[Column, ...] = Field(fail_fast=True)
    target: str
    target_header: str
    task: TaskName = "classification"  # what the target asks for; models made before knew no other
    classes: tuple[str, ...] = Field(fail_fast=True)  # in the order of the model's scores; none of a number
    missing: tuple[str, ...] = ()  # texts that mean no value, "" is one; models made before have none
    strip: bool = False  # whether blanks around a text are no part of it

    @property
    def cells(self) -> CellRule:
        """What texts mean, in tables and requests."""
        return CellRule(self.missing, self.strip)

    @property
    def names(self) -> list[str]:
        """The columns' names, as requests and prepared tables spell them."""
        return [column.name for column in self.columns]

    @property
    def numeric(self) -> list[NumericColumn]:
        """The columns of the `numeric` matrix, in its order."""
        return [column for column in self.columns if isinstance(column, NumericColumn)]

    @property
    def categorical(self) -> list[CategoryColumn]:
        """The columns of the `categorical` matrix, in its order."""
        return [column for column in self.columns if isinstance(column, CategoryColumn)]

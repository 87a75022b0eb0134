"""The columns of a table, and what is predicted from them."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from src.schema.cells import CellRule
from src.schema.dates import PARTS, parts, read_moment
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


class DateColumn(StrictModel):
    """A day or a time, of which the model sees the parts; `lowest` and `highest` are days in ISO 8601."""

    name: str
    header: str  # as the source table spells it
    type: Literal["date"]
    nullable: bool
    lowest: str
    highest: str
    has_time: bool

    def spans(self, moment: datetime) -> bool:
        """Return whether `moment` is on a day that a request may hold."""
        return self.lowest <= moment.date().isoformat() <= self.highest

    @property
    def parts(self) -> tuple[NumericColumn, ...]:
        """The columns of the `numeric` matrix that it becomes."""
        ends = [parts(read_moment(end), False) for end in (self.lowest, self.highest)]
        ranges = [*zip(*ends, strict=True)][:2] + [(1.0, 12.0), (1.0, 7.0), (0.0, 24.0)]
        shown = PARTS if self.has_time else PARTS[:-1]
        return tuple(
            NumericColumn(
                name=f"{self.name}.{part}",
                header=f"{self.header} ({part})",
                type="float" if part == "hour" else "integer",
                nullable=self.nullable,
                lowest=low,
                highest=high,
            )
            for part, (low, high) in zip(shown, ranges, strict=False)
        )


Column = Annotated[NumericColumn | CategoryColumn | DateColumn, Field(discriminator="type")]


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
        """The columns of the `numeric` matrix, in its order: the numbers, and the parts of dates."""
        return [column for column in self.features if isinstance(column, NumericColumn)]

    @property
    def features(self) -> list[NumericColumn | CategoryColumn]:
        """What the model sees: the columns in their order, its parts in the place of a date."""
        found: list[NumericColumn | CategoryColumn] = []
        for column in self.columns:
            found += column.parts if isinstance(column, DateColumn) else (column,)
        return found

    @property
    def owners(self) -> tuple[list[int], list[int]]:
        """The places in `columns` that the numeric and the categorical matrix's columns come from."""
        numeric: list[int] = []
        categorical: list[int] = []
        for place, column in enumerate(self.columns):
            if isinstance(column, CategoryColumn):
                categorical.append(place)
            else:
                numeric += [place] * (len(column.parts) if isinstance(column, DateColumn) else 1)
        return numeric, categorical

    @property
    def categorical(self) -> list[CategoryColumn]:
        """The columns of the `categorical` matrix, in its order."""
        return [column for column in self.columns if isinstance(column, CategoryColumn)]

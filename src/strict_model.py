"""The base of file formats and parameters: nothing converted, nothing unknown, nothing changed later."""

from pydantic import BaseModel, ConfigDict


class StrictModel(BaseModel):
    """A model that is checked strictly and stays as it is."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

"""The base of file formats and parameters: nothing converted, nothing unknown, nothing changed later."""

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

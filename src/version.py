"""The version of the product, as `pyproject.toml` has it; that file is not shipped with the server."""

VERSION = "1.0.0"

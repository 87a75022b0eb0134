"""`champion.json`: which bundle of a model store is in service."""

from typing import Annotated

from pydantic import Field

from src.bundle import bundle as bundles
from src.bundle.bundle import Bundle
from src.bundle.limits import Digest
from src.errors import BundleError
from src.store.files import Files, fetch_from
from src.strict_model import StrictModel

POINTER = "champion.json"
MAX_POINTER_BYTES = 64 * 1024

# Names that start with a letter or a digit, parted by slashes: never absolute, never `..`, never hidden.
RelativePath = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*$", max_length=512)
]


class Pointer(StrictModel):
    """`champion.json`: which bundle is in service."""

    bundle: RelativePath  # within the store
    manifest_sha256: Digest


def read_pointer(files: Files) -> Pointer | None:
    """Return the pointer of the store `files`; None when there is none yet.

    Raises:
        BundleError: it is too large, not in its format, or points outside the store.
        RegistryError: the store cannot be reached.
    """
    content = files.read(POINTER, MAX_POINTER_BYTES)
    if content is None:
        return None
    try:
        return bundles.parse(Pointer, f"{files.description}: {POINTER}", content)
    except BundleError as error:
        error.digest = bundles.sha256(content)
        raise


def load_bundle(files: Files, pointer: Pointer) -> Bundle:
    """Return the verified bundle that `pointer` names; raises BundleError or RegistryError."""
    return bundles.load(fetch_from(files, pointer.bundle), pointer.manifest_sha256)

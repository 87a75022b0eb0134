"""The bundle, the folder that is delivered: write it, read it, and refuse one that was changed."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar

from pydantic import BaseModel, Field, ValidationError

from src import folders
from src.errors import BundleError
from src.frozen import Frozen
from src.schema import Schema

MANIFEST = "metadata.json"
MODEL = "model.onnx"
SCHEMA = "schema.json"
METRICS = "metrics.json"
PROFILE = "profile.json"
EXAMPLE = "example.json"
FILES = (EXAMPLE, METRICS, MODEL, PROFILE, SCHEMA)
MAX_BYTES = 512 * 2**20  # of one file

write_folder = folders.write_folder  # a bundle is put at its place as any folder is

T = TypeVar("T", bound=BaseModel)
Scalar = str | int | float | bool | None


class Training(Frozen):
    """How a model came to be: all the manifest says before the model is measured."""

    format: Literal[1] = 1
    name: str  # of the registered model
    version: str  # the registry's number
    task: Literal["classification"] = "classification"
    model_type: str  # scikit-learn's class
    exact: bool  # its scores equal scikit-learn's to the bit, on any machine
    n_features: int
    n_samples: int  # rows it was fitted on
    feature_names: tuple[str, ...]
    target_names: tuple[str, ...]
    mlflow_run_id: str | None
    git_commit: str | None  # None outside a git checkout
    data_digest: str  # SHA-256 of the raw table
    test_digest: str  # SHA-256 of the rows held out from it
    created_at: str  # ISO 8601, UTC
    parameters: dict[str, Scalar]
    libraries: dict[str, str]


class Manifest(Training):
    """`metadata.json`: how the model came to be, how good it is, and the SHA-256 of every other file."""

    accuracy: float
    precision: float
    recall: float
    f1_score: float
    files: dict[Literal["example.json", "metrics.json", "model.onnx", "profile.json", "schema.json"], str]


class Example(Frozen):
    """Rows with the answers scikit-learn gave: the model must give them again at every load."""

    rows: tuple[dict[str, Scalar], ...] = Field(min_length=1)
    labels: tuple[str, ...]
    scores: tuple[tuple[float, ...], ...]  # [rows, classes]


@dataclass(frozen=True)
class Bundle:
    """A verified bundle, in memory: what was checked is what is served."""

    manifest: Manifest
    digest: str  # SHA-256 of the manifest, and so of everything
    schema: Schema
    model: bytes
    metrics: dict[str, Any]
    profile: dict[str, Any]
    example: Example


class Fetch(Protocol):
    """Where a bundle comes from: returns the bytes of one of its files, or raises BundleError."""

    def __call__(self, name: str, /) -> bytes: ...


def dump_json(value: Any) -> bytes:
    """Return `value` as JSON whose bytes depend on nothing but the value."""
    return (json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n").encode()


def seal(training: Training, metrics: Mapping[str, Any], files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return all files of a bundle: `files`, the metrics and the manifest that vouches for them.

    Args:
        metrics: at least accuracy, precision, recall and f1_score.
        files: the model, schema, profile and example.
    """
    whole = {**files, METRICS: dump_json(metrics)}
    manifest = Manifest.model_validate(
        {
            **training.model_dump(),
            **{key: metrics[key] for key in ("accuracy", "precision", "recall", "f1_score")},
            "files": {name: sha256(whole[name]) for name in FILES},
        }
    )
    return {**whole, MANIFEST: dump_json(manifest.model_dump(mode="json"))}


def load(fetch: Fetch, expected_digest: str | None = None) -> Bundle:
    """Return the bundle behind `fetch`, every byte of it checked.

    Raises:
        BundleError: a file is missing, too large, changed, or not in its format.
    """
    raw_manifest = fetch(MANIFEST)
    digest = sha256(raw_manifest)
    if expected_digest is not None and digest != expected_digest:
        raise BundleError(f"{MANIFEST}: SHA-256 is {digest}, expected {expected_digest}")
    manifest = parse(Manifest, MANIFEST, raw_manifest)
    if set(manifest.files) != set(FILES):
        raise BundleError(
            f"{MANIFEST}: names {', '.join(sorted(manifest.files))}, expected {', '.join(FILES)}"
        )
    files: dict[str, bytes] = {}
    for name, expected in manifest.files.items():
        files[name] = fetch(name)
        if sha256(files[name]) != expected:
            raise BundleError(f"{name}: SHA-256 is {sha256(files[name])}, {MANIFEST} says {expected}")
    schema = parse(Schema, SCHEMA, files[SCHEMA])
    if tuple(schema.names) != manifest.feature_names or schema.classes != manifest.target_names:
        raise BundleError(f"{SCHEMA}: columns or classes are not those of {MANIFEST}")
    return Bundle(
        manifest=manifest,
        digest=digest,
        schema=schema,
        model=files[MODEL],
        metrics=_parse_object(METRICS, files[METRICS]),
        profile=_parse_object(PROFILE, files[PROFILE]),
        example=parse(Example, EXAMPLE, files[EXAMPLE]),
    )


def parse(model: type[T], name: str, content: bytes) -> T:
    """Return `content` of the file `name` as a `model`; raises BundleError when it is not one."""
    try:
        return model.model_validate_json(content)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BundleError(f"{name}: {where}: {first['msg']}") from error


def folder_fetch(folder: Path) -> Callable[[str], bytes]:
    """Return a `Fetch` that reads the files of `folder`."""

    def fetch(name: str) -> bytes:
        path = folder / name
        try:
            if path.stat().st_size > MAX_BYTES:
                raise BundleError(f"{path}: larger than {MAX_BYTES} bytes")
            return path.read_bytes()
        except OSError as error:
            raise BundleError(f"{path}: {error.strerror or error}") from error

    return fetch


def sha256(content: bytes) -> str:
    """Return the digest of `content`, 64 hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def _parse_object(name: str, content: bytes) -> dict[str, Any]:
    try:
        value = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{name}: not JSON") from error
    if not isinstance(value, dict):
        raise BundleError(f"{name}: not a JSON object")
    return value

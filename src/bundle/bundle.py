"""The bundle, the folder that is delivered: write it, read it, and refuse one that was changed."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel, ValidationError

from src.bundle.limits import MAX_BYTES, check_schema
from src.bundle.manifest import ExampleRows
from src.bundle.manifest import Manifest as Manifest
from src.bundle.manifest import ManifestFormat1, Metrics
from src.bundle.manifest import Training as Training
from src.disk import folders
from src.disk.reading import read_within
from src.documents import read_json, tupled
from src.errors import BundleError, MlopsError
from src.schema.columns import Schema
from src.tasks import TASKS, side
from src.validation import first_problem

MANIFEST = "metadata.json"
MODEL = "model.onnx"
SCHEMA = "schema.json"
METRICS = "metrics.json"
PROFILE = "profile.json"
EXAMPLE = "example.json"
CARD, CARD_PAGE = "card.md", "card.html"
FILES = (EXAMPLE, METRICS, MODEL, PROFILE, SCHEMA)
OPTIONAL = (CARD, CARD_PAGE)  # for people; bundles made before have none

write_folder = folders.write_folder  # a bundle is put at its place as any folder is

T = TypeVar("T", bound=BaseModel)


@dataclass(frozen=True)
class Bundle:
    """A verified bundle, in memory: what was checked is what is served."""

    manifest: Manifest
    digest: str  # SHA-256 of the manifest, and so of everything
    schema: Schema
    model: bytes
    metrics: dict[str, Any]
    profile: dict[str, Any]
    example: ExampleRows  # with the answers of the task
    card_page: bytes | None = None  # the model card as HTML


class Fetch(Protocol):
    """Where a bundle comes from: returns the bytes of one of its files, or raises BundleError."""

    def __call__(self, name: str, /) -> bytes: ...


def dump_json(value: Any) -> bytes:
    """Return `value` as JSON whose bytes depend on nothing but the value."""
    return (json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n").encode()


def seal(training: Training, metrics: Mapping[str, Any], files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return all files of a bundle: `files`, the metrics and the manifest that vouches for them.

    Args:
        metrics: at least the measures of the task.
        files: the model, schema, profile and example, and the optional ones.
    """
    whole = {**files, METRICS: dump_json(metrics)}
    task = TASKS[training.task]
    manifest = Manifest.model_validate(
        {
            **training.model_dump(),
            "measures": {name: metrics[name] for name in task.measures},
            "primary_measure": task.primary_measure,
            "files": {name: sha256(whole[name]) for name in (*FILES, *OPTIONAL) if name in whole},
        }
    )
    return {**whole, MANIFEST: dump_json(manifest.model_dump(mode="json"))}


def load(fetch: Fetch, expected_digest: str | None = None) -> Bundle:
    """Return the bundle behind `fetch`, every byte of it checked.

    Raises:
        BundleError: a file is missing, too large, changed, or not in its format.
    """
    raw_manifest = _bounded(MANIFEST, fetch(MANIFEST))
    digest = sha256(raw_manifest)
    if expected_digest is not None and digest != expected_digest:
        raise BundleError(f"{MANIFEST}: SHA-256 is {digest}, expected {expected_digest}")
    manifest = parse_manifest(raw_manifest)
    if not set(FILES) <= set(manifest.files) <= {*FILES, *OPTIONAL}:
        raise BundleError(
            f"{MANIFEST}: names {', '.join(sorted(manifest.files))}, expected {', '.join(FILES)}"
        )
    files: dict[str, bytes] = {}
    for name, expected in manifest.files.items():
        files[name] = _bounded(name, fetch(name))
        if sha256(files[name]) != expected:
            raise BundleError(f"{name}: SHA-256 is {sha256(files[name])}, {MANIFEST} says {expected}")
    return Bundle(
        manifest=manifest,
        digest=digest,
        schema=_read_schema(manifest, files[SCHEMA]),
        model=files[MODEL],
        metrics=_read_metrics(manifest, files[METRICS]),
        profile=_read_object(PROFILE, files[PROFILE]),
        example=_read_example(manifest, files[EXAMPLE]),
        card_page=files.get(CARD_PAGE),
    )


def files_of(raw_manifest: bytes) -> list[str]:
    """Return the names of the files that a bundle with this manifest has, itself included."""
    return [MANIFEST, *sorted(parse_manifest(_bounded(MANIFEST, raw_manifest)).files)]


def parse_manifest(content: bytes) -> Manifest:
    """Return `metadata.json`, of the present format or an earlier one; raises BundleError."""
    value = _read_object(MANIFEST, content)
    if value.get("format") == 1:
        return _validated(ManifestFormat1, MANIFEST, value).upgraded()
    return _validated(Manifest, MANIFEST, value)


def parse(model: type[T], name: str, content: bytes) -> T:
    """Return `content` of the file `name` as a `model`; raises BundleError when it is not one."""
    return _validated(model, name, read_json(name, content))


def folder_fetch(folder: Path) -> Callable[[str], bytes]:
    """Return a `Fetch` that reads the files of `folder`."""

    def fetch(name: str) -> bytes:
        try:
            content = read_within(folder, name, max_bytes(name))
        except OSError as error:
            raise BundleError(f"{folder / name}: {error.strerror or error}") from error
        if content is None:
            raise BundleError(f"{folder / name}: No such file or directory")
        return content

    return fetch


def max_bytes(name: str) -> int:
    """Return how large the file `name` may be."""
    return MAX_BYTES.get(name, MAX_BYTES[MODEL])


@contextmanager
def loading(what: str) -> Iterator[None]:
    """Refuse `what` for whatever its bytes bring about: who reads it never sees another error than ours."""
    try:
        yield
    except MlopsError:
        raise
    except Exception as error:  # MemoryError, RecursionError, and what nobody thought of
        raise BundleError(f"{what}: {type(error).__name__}: {' '.join(str(error).split())[:300]}") from error


def sha256(content: bytes) -> str:
    """Return the digest of `content`, 64 hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def _bounded(name: str, content: bytes) -> bytes:
    if len(content) > max_bytes(name):
        raise BundleError(f"{name}: larger than {max_bytes(name)} bytes")
    return content


def _read_schema(manifest: Manifest, content: bytes) -> Schema:
    schema = parse(Schema, SCHEMA, content)
    try:
        check_schema(schema)
        side("src.bundle.examples", schema.task).check_target(schema)
    except ValueError as error:
        raise BundleError(f"{SCHEMA}: {error}") from error
    if tuple(schema.names) != manifest.feature_names or schema.classes != manifest.target_names:
        raise BundleError(f"{SCHEMA}: columns or classes are not those of {MANIFEST}")
    if schema.task != manifest.task:
        raise BundleError(f"{SCHEMA}: is of {schema.task}, {MANIFEST} of {manifest.task}")
    if manifest.n_features != len(schema.columns):
        raise BundleError(
            f"{MANIFEST}: n_features is {manifest.n_features}, {SCHEMA} has {len(schema.columns)}"
        )
    return schema


def _read_example(manifest: Manifest, content: bytes) -> ExampleRows:
    example: type[ExampleRows] = side("src.bundle.examples", manifest.task).Example
    return parse(example, EXAMPLE, content)


def _validated(model: type[T], name: str, value: Any) -> T:
    try:
        return model.model_validate(tupled(value))
    except ValidationError as error:
        raise BundleError(f"{name}: {first_problem(error)}") from error
    except RecursionError as error:
        raise BundleError(f"{name}: nested too deeply") from error


def _read_metrics(manifest: Manifest, content: bytes) -> dict[str, Any]:
    metrics = _read_object(METRICS, content)
    _validated(Metrics, METRICS, metrics)
    for name, value in manifest.measures.items():
        if metrics.get(name) != value:
            raise BundleError(f"{METRICS}: {name} is not that of {MANIFEST}")
    return metrics


def _read_object(name: str, content: bytes) -> dict[str, Any]:
    value = read_json(name, content)
    if not isinstance(value, dict):
        raise BundleError(f"{name}: not a JSON object")
    return value

"""A bundle's model in ONNX Runtime, checked and ready to answer."""

from typing import Any

import numpy as np

from src.bundle.bundle import Bundle, Example
from src.bundle.limits import check_row, check_shares
from src.errors import BundleError
from src.runtime.inspection import inspect
from src.runtime.ort import ERRORS, ort
from src.runtime.predictions import Predictions, Runtime
from src.schema.columns import Schema
from src.schema.features import Features, to_features

MAX_ROWS = 128  # of one call; more are answered in parts
MAX_HELD = 2**24  # numbers in memory: a forest holds rows x trees x classes
TOLERANCE = 1e-12  # of a score, for models that are not exact
_OUTPUTS = ["label", "scores"]


class _Session:
    """A `Runtime`; safe to call from several threads."""

    def __init__(self, session: ort.InferenceSession, schema: Schema, most: int) -> None:
        self._run = session.run
        self._most = most
        self._has_numeric = bool(schema.numeric)
        self._has_categorical = bool(schema.categorical)

    def predict(self, features: Features) -> Predictions:
        """Return the answers to `features`."""
        rows = len(features.numeric)
        if rows <= self._most:
            return self._answer(features)
        parts = [
            self._answer(
                Features(
                    features.numeric[start : start + self._most],
                    features.categorical[start : start + self._most],
                )
            )
            for start in range(0, rows, self._most)
        ]
        return Predictions(
            np.concatenate([part.labels for part in parts]), np.concatenate([part.scores for part in parts])
        )

    def _answer(self, features: Features) -> Predictions:
        feed: dict[str, Any] = {}
        if self._has_numeric:
            feed["numeric"] = features.numeric
        if self._has_categorical:
            feed["categorical"] = features.categorical
        labels, scores = self._run(_OUTPUTS, feed)
        return Predictions(labels, scores)


def open_model(model: bytes, schema: Schema) -> Runtime:
    """Return `model` loaded; it runs in the caller's thread and reads no file.

    Raises:
        BundleError: the model is not one that `export` writes for `schema`.
    """
    held = inspect(model)
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    # What was checked is what runs.
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4  # what goes wrong is raised, and said once
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except ERRORS as error:
        raise BundleError(f"model.onnx: {_one_line(error)}") from error
    expected = _signature(schema)
    found = [
        (value.name, value.type, value.shape[1:]) for value in session.get_inputs() + session.get_outputs()
    ]
    if found != expected:
        raise BundleError(f"model.onnx: takes and gives {found}, the schema says {expected}")
    return _Session(session, schema, most=min(MAX_ROWS, MAX_HELD // held))


def load(bundle: Bundle) -> Runtime:
    """Return the model of `bundle`, which has answered the bundle's example rows as scikit-learn did.

    Raises:
        BundleError: the model cannot be loaded, or answers a row differently.
    """
    example = bundle.example
    classes = bundle.schema.classes
    _check_example(example, bundle.schema)
    runtime = open_model(bundle.model, bundle.schema)
    try:
        rows = {name: [row[name] for row in example.rows] for name in bundle.schema.names}
        answers = runtime.predict(to_features(bundle.schema, rows))
    except (*ERRORS, TypeError, ValueError) as error:
        raise BundleError(f"model.onnx: the self-test failed: {_one_line(error)}") from error
    tolerance = 0.0 if bundle.manifest.exact else TOLERANCE
    for row, (label, scores) in enumerate(zip(example.labels, example.scores, strict=True)):
        answer, given = classes[answers.labels[row]], answers.scores[row]
        if answer != label or not (np.abs(given - scores) <= tolerance).all():
            raise BundleError(
                f"model.onnx: the self-test failed at row {row + 1} of example.json: "
                f"{answer} {given.tolist()}, expected {label} {list(scores)}"
            )
    return runtime


def _check_example(example: Example, schema: Schema) -> None:
    if not len(example.rows) == len(example.labels) == len(example.scores):
        raise BundleError("example.json: rows, labels and scores are not equally many")
    for number, row in enumerate(example.rows, start=1):
        label, scores = example.labels[number - 1], example.scores[number - 1]
        try:
            check_row(schema, row)
            check_shares(scores)
        except ValueError as error:
            raise BundleError(f"example.json: row {number}: {error}") from error
        if label not in schema.classes or len(scores) != len(schema.classes):
            raise BundleError(
                f"example.json: row {number}: its label or scores are not of the schema's classes"
            )


def _signature(schema: Schema) -> list[tuple[str, str, list[int]]]:
    """Return name, type and shape after the rows of what the model takes and gives."""
    inputs = [
        ("numeric", "tensor(double)", [len(schema.numeric)]),
        ("categorical", "tensor(string)", [len(schema.categorical)]),
    ]
    outputs: list[tuple[str, str, list[int]]] = [
        ("label", "tensor(int64)", []),
        ("scores", "tensor(double)", [len(schema.classes)]),
    ]
    return [one for one in inputs if one[2] != [0]] + outputs


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]

"""A bundle's model in ONNX Runtime, checked and ready to answer."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from src.bundle.bundle import Bundle
from src.bundle.limits import check_row
from src.bundle.manifest import ExampleRows
from src.errors import BundleError
from src.runtime.inspection import inspect
from src.runtime.ort import ERRORS, ort
from src.runtime.predictions import Outputs, Runtime
from src.runtime.values import inputs
from src.runtime.wire import DOUBLE, INT64, STRING
from src.schema.columns import Schema
from src.schema.features import Features, to_features
from src.tasks import side

MAX_ROWS = 128  # of one call; more are answered in parts
MAX_HELD = 2**24  # numbers in memory: a forest holds rows x trees x classes
_TYPES = {DOUBLE: "tensor(double)", INT64: "tensor(int64)", STRING: "tensor(string)"}


class _Session:
    """A `Runtime`; safe to call from several threads."""

    def __init__(self, session: ort.InferenceSession, schema: Schema, most: int) -> None:
        answers = side("src.runtime.answers", schema.task)
        self._run = session.run
        self._outputs = list(answers.outputs(schema))
        self._predictions: Callable[[Iterable[NDArray[Any]]], Outputs] = answers.Predictions._make
        self._most = most
        self._has_numeric = bool(schema.numeric)
        self._has_categorical = bool(schema.categorical)

    def predict(self, features: Features) -> Outputs:
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
        return self._predictions(np.concatenate(arrays) for arrays in zip(*parts, strict=True))

    def _answer(self, features: Features) -> Outputs:
        feed: dict[str, Any] = {}
        if self._has_numeric:
            feed["numeric"] = features.numeric
        if self._has_categorical:
            feed["categorical"] = features.categorical
        return self._predictions(self._run(self._outputs, feed))


def open_model(model: bytes, schema: Schema) -> Runtime:
    """Return `model` loaded; it runs in the caller's thread and reads no file.

    Raises:
        BundleError: the model is not one that `export` writes for `schema`.
    """
    outputs = side("src.runtime.answers", schema.task).outputs(schema)
    held = inspect(model, outputs)
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
    expected = [
        (name, _TYPES[value.kind], list(value.shape[1:]))
        for name, value in {**inputs(schema), **outputs}.items()
    ]
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
    schema, example = bundle.schema, bundle.example
    answers = side("src.runtime.answers", schema.task)
    _check_example(example, schema)
    runtime = open_model(bundle.model, schema)
    try:
        rows = {name: [row[name] for row in example.rows] for name in schema.names}
        found = runtime.predict(to_features(schema, rows))
    except (*ERRORS, TypeError, ValueError) as error:
        raise BundleError(f"model.onnx: the self-test failed: {_one_line(error)}") from error
    expected = answers.from_example(schema, example)
    wrong = np.flatnonzero(answers.differing(found, expected, exact=bundle.manifest.exact))
    if wrong.size:
        first = int(wrong[0])
        raise BundleError(
            f"model.onnx: the self-test failed at row {first + 1} of example.json: "
            f"{answers.describe(schema, found, first)}, expected {answers.describe(schema, expected, first)}"
        )
    return runtime


def _check_example(example: ExampleRows, schema: Schema) -> None:
    answers = side("src.runtime.answers", schema.task)
    try:
        answers.check_count(example)
    except ValueError as error:
        raise BundleError(f"example.json: {error}") from error
    for place, row in enumerate(example.rows):
        try:
            check_row(schema, row)
            answers.check_answer(schema, example, place)
        except ValueError as error:
            raise BundleError(f"example.json: row {place + 1}: {error}") from error


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]

"""ONNX Runtime, told before it starts to send nothing home."""

import os

# Read once, at import: without it, an identifier is kept on disk and every session is reported to its makers.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import onnxruntime as ort  # noqa: E402
from onnxruntime.capi import onnxruntime_pybind11_state as state  # noqa: E402

__all__ = ["ERRORS", "ort"]

ERRORS = (
    state.EngineError,
    state.EPFail,
    state.Fail,
    state.InvalidArgument,
    state.InvalidGraph,
    state.InvalidProtobuf,
    state.NoModel,
    state.NotFound,
    state.NotImplemented,
    state.RuntimeException,
)

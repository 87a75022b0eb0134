"""The wire format of an ONNX file, read strictly: only the fields that `export` writes, each in one form."""

from __future__ import annotations

import re
from typing import Any, NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

from src.errors import BundleError

IR_VERSION = 10
OPSETS = {"": 20, "ai.onnx.ml": 5}
FLOAT, UINT8, INT64, STRING, BOOL, DOUBLE = 1, 2, 7, 8, 9, 11  # TensorProto.DataType
DTYPES = {FLOAT: "<f4", UINT8: "u1", INT64: "<i8", DOUBLE: "<f8"}

_VARINT, _LENGTH = 0, 2  # wire types
_MANY = 100_000  # most values of one repeated field, integers aside
_INTEGERS = re.compile(rb"(?:\x40[\x80-\xff]{0,4}+[\x00-\x7f])*+")  # AttributeProto.ints, one after the other


class Field(NamedTuple):
    """A field of a message; a `kind` that is a message is read in turn."""

    name: str
    number: int
    kind: int | str | tuple[Field, ...]  # _VARINT, "text", "bytes", "integers" or a message
    most: int = 1

    @property
    def tag(self) -> int:
        return self.number << 3 | (_VARINT if self.kind in (_VARINT, "integers") else _LENGTH)


_TENSOR = (
    Field("dims", 1, _VARINT, most=3),
    Field("data_type", 2, _VARINT),
    Field("name", 8, "text"),
    Field("raw_data", 9, "bytes"),
)
_ATTRIBUTE = (
    Field("name", 1, "text"),
    Field("i", 3, _VARINT),
    Field("t", 5, _TENSOR),
    Field("ints", 8, "integers"),
    Field("strings", 9, "text", most=_MANY),
    Field("type", 20, _VARINT),
)
_NODE = (
    Field("input", 1, "text", most=_MANY),
    Field("output", 2, "text"),
    Field("op_type", 4, "text"),
    Field("attribute", 5, _ATTRIBUTE, most=20),
    Field("domain", 7, "text"),
)
_DIMENSION = (Field("dim_value", 1, _VARINT), Field("dim_param", 2, "text"))
_SHAPE = (Field("dim", 1, _DIMENSION, most=2),)
_TYPE = (Field("tensor_type", 1, (Field("elem_type", 1, _VARINT), Field("shape", 2, _SHAPE))),)
_VALUE = (Field("name", 1, "text"), Field("type", 2, _TYPE))
_GRAPH = (
    Field("node", 1, _NODE, most=_MANY),
    Field("name", 2, "text"),
    Field("initializer", 5, _TENSOR, most=_MANY),
    Field("input", 11, _VALUE, most=2),
    Field("output", 12, _VALUE, most=2),
)
_OPSET = (Field("domain", 1, "text"), Field("version", 2, _VARINT))
_MODEL = (
    Field("ir_version", 1, _VARINT),
    Field("graph", 7, _GRAPH),
    Field("opset_import", 8, _OPSET, most=2),
)


def refuse(why: str) -> NoReturn:
    """Raise BundleError, because of `why`."""
    raise BundleError(f"model.onnx: {why}")


def read_model(content: bytes) -> dict[str, Any]:
    """Return the file as nested dicts, a list for each repeated field that is there.

    Raises:
        BundleError: a field is unknown, twice there, in another form than ours, or cut off.
    """
    return _read(content, 0, len(content), _MODEL)


def read_tensor(tensor: dict[str, Any]) -> NDArray[Any]:
    """Return the values of `tensor`, in the shape that its dimensions say.

    Raises:
        BundleError: its type is not one of ours, or it holds more or less than its shape.
    """
    dims, kind, raw = tensor.get("dims", []), tensor.get("data_type"), tensor.get("raw_data", b"")
    if kind not in DTYPES or not all(0 < size <= len(raw) for size in dims):
        refuse("a tensor has a type or size that is not allowed")
    dtype = np.dtype(DTYPES[kind])
    size = dtype.itemsize
    for dim in dims:
        size *= dim
    if size != len(raw):
        refuse(f"a tensor of {dims} holds {len(raw)} bytes")
    return np.frombuffer(raw, dtype).reshape(dims)


def _read(content: bytes, start: int, end: int, message: tuple[Field, ...]) -> dict[str, Any]:
    fields = {field.tag: field for field in message}
    values: dict[str, Any] = {}
    while start < end:
        tag, after = _varint(content, start, end)
        field = fields.get(tag)
        if field is None:
            refuse(f"holds a field that is not allowed (number {tag >> 3}, type {tag & 7})")
        if field.kind == "integers":
            start, value = _integers(content, start, end)
        else:
            start, value = _value(content, after, end, field)
        if field.most > 1:
            values.setdefault(field.name, []).append(value)
            if len(values[field.name]) > field.most:
                refuse(f"holds more than {field.most} of {field.name}")
        elif field.name in values:
            refuse(f"holds {field.name} twice")
        else:
            values[field.name] = value
    return values


def _value(content: bytes, start: int, end: int, field: Field) -> tuple[int, Any]:
    """Return where the value ends, and the value."""
    number, start = _varint(content, start, end)
    if field.kind == _VARINT:
        return start, number - 2**64 if number >= 2**63 else number
    if number > end - start:
        refuse(f"is cut off in {field.name}")
    stop = start + number
    if isinstance(field.kind, tuple):
        return stop, _read(content, start, stop, field.kind)
    if field.kind == "bytes":
        return stop, content[start:stop]
    try:
        return stop, content[start:stop].decode()
    except UnicodeDecodeError:
        refuse(f"{field.name} is not text")


def _varint(content: bytes, start: int, end: int) -> tuple[int, int]:
    """Return the number at `start`, and where it ends."""
    number = 0
    for shift in range(0, 70, 7):
        if start >= end:
            refuse("is cut off")
        byte = content[start]
        start += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80 and number < 2**64:
            return number, start
    refuse("holds a number of more than 64 bits")


def _integers(content: bytes, start: int, end: int) -> tuple[int, NDArray[np.int64]]:
    """Return where the run of integers ends, and the integers, each below 2**35; a forest has millions."""
    run = _INTEGERS.match(content, start, end)
    if run is None or run.end() == start:
        refuse("holds integers that are not allowed")
    # A tag and a number in turn; each ends with its first byte below 128.
    data = np.frombuffer(content, np.uint8, run.end() - start, start)
    ends = np.flatnonzero(data < 0x80)
    first, last = ends[::2] + 1, ends[1::2]
    numbers = (data[first] & 0x7F).astype(np.int64)
    for place in range(1, int((last - first).max()) + 1):
        longer = np.flatnonzero(last - first >= place)
        numbers[longer] |= (data[first[longer] + place] & 0x7F).astype(np.int64) << 7 * place
    return run.end(), numbers

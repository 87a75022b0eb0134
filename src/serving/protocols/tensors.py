"""Tensors of the Open Inference Protocol: JSON or binary, as its specification and its extension say."""

import math
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from src.serving.problems import bad_request

NUMBERS = {
    "BOOL": "?",
    "UINT8": "<u1",
    "UINT16": "<u2",
    "UINT32": "<u4",
    "UINT64": "<u8",
    "INT8": "<i1",
    "INT16": "<i2",
    "INT32": "<i4",
    "INT64": "<i8",
    "FP16": "<f2",
    "FP32": "<f4",
    "FP64": "<f8",
}
TEXT = "BYTES"
DATATYPES = (*NUMBERS, TEXT)
MAX_DIMENSIONS = 8


class Tensor(NamedTuple):
    """Named values in the order of rows."""

    name: str
    datatype: str
    shape: tuple[int, ...]
    values: Sequence[Any]  # flat

    def described(self) -> dict[str, Any]:
        """Return the tensor without its values."""
        return {"name": self.name, "datatype": self.datatype, "shape": list(self.shape)}

    def to_json(self) -> dict[str, Any]:
        """Return the tensor with its values in it."""
        return {**self.described(), "data": list(self.values)}

    def to_binary(self) -> bytes:
        """Return the values: numbers little-endian, texts with their length in four bytes before them."""
        if self.datatype != TEXT:
            return np.array(self.values, dtype=NUMBERS[self.datatype]).tobytes()
        texts = [str(value).encode() for value in self.values]
        return b"".join(struct.pack("<I", len(text)) + text for text in texts)


def read_tensors(inputs: object, binary: bytes) -> Iterator[Tensor]:
    """Yield the tensors of a request; `binary` is what follows its JSON.

    Raises:
        Problem: 400, it is not as the protocol says.
    """
    if not isinstance(inputs, list) or not inputs:
        raise bad_request("`inputs` is not a list of tensors.")
    rest = memoryview(binary)
    for place, given in enumerate(inputs):
        where = f"Input {place}"
        if not isinstance(given, dict) or not isinstance(given.get("name"), str):
            raise bad_request(f"{where} has no `name`.")
        datatype, shape = given.get("datatype"), given.get("shape")
        if datatype not in DATATYPES:
            raise bad_request(f"{where}: `datatype` is not one of {', '.join(DATATYPES)}.")
        if (
            not isinstance(shape, list)
            or not 1 <= len(shape) <= MAX_DIMENSIONS
            or any(type(size) is not int or size < 0 for size in shape)
        ):
            raise bad_request(f"{where}: `shape` is not a list of 1 to {MAX_DIMENSIONS} whole numbers.")
        parameters = given.get("parameters") or {}
        size = parameters.get("binary_data_size") if isinstance(parameters, dict) else None
        count = math.prod(shape)
        if size is None:
            values: Sequence[Any] = _of_datatype(_flat(given.get("data"), where), datatype, where)
        else:
            if type(size) is not int or not 0 <= size <= len(rest):
                raise bad_request(f"{where}: `binary_data_size` is more than the body holds.")
            values, rest = _from_binary(rest[:size], datatype, count, where), rest[size:]
        if len(values) != count:
            raise bad_request(f"{where} has {len(values)} values, its shape says {count}.")
        yield Tensor(given["name"], datatype, tuple(shape), values)
    if len(rest):
        raise bad_request(f"{len(rest)} bytes of the body belong to no input.")


def _flat(data: object, where: str) -> list[Any]:
    if not isinstance(data, list):
        raise bad_request(f"{where}: `data` is not a list.")
    values: list[Any] = data
    for _ in range(MAX_DIMENSIONS):
        if not any(isinstance(value, list) for value in values):
            return values
        if not all(isinstance(value, list) for value in values):
            break
        values = [value for part in values for value in part]
    raise bad_request(f"{where}: `data` is nested unevenly.")


def _of_datatype(values: Sequence[Any], datatype: str, where: str) -> list[Any]:
    """Return `values` as `datatype` has them.

    JSON has one kind of number: clients in languages that have one, too, write 3 as 3.0, and true as 1.0.
    """
    kind = "INT" if "INT" in datatype else "FP" if datatype.startswith("FP") else datatype
    read = _READ[kind]
    try:
        return [None if value is None else read(value) for value in values]
    except _OtherKind:
        raise bad_request(f"{where}: `data` holds values that are not {datatype}.") from None


class _OtherKind(Exception):
    """A value is of another kind than its tensor says."""


def _whole(value: Any) -> int:
    if type(value) is int or (type(value) is float and value.is_integer()):
        return int(value)
    raise _OtherKind


def _truth(value: Any) -> bool:
    if type(value) in (bool, int, float) and value in (0, 1):
        return bool(value)
    raise _OtherKind


def _number(value: Any) -> float:
    if type(value) in (int, float):
        return value  # type: ignore[no-any-return]
    raise _OtherKind


def _text(value: Any) -> str:
    if type(value) is str:
        return value
    raise _OtherKind


_READ: Mapping[str, Callable[[Any], Any]] = {"INT": _whole, "BOOL": _truth, "FP": _number, TEXT: _text}


def _from_binary(content: memoryview, datatype: str, count: int, where: str) -> list[Any]:
    if datatype != TEXT:
        kind = np.dtype(NUMBERS[datatype])
        if len(content) != count * kind.itemsize:
            raise bad_request(f"{where} has {len(content)} bytes, its shape says {count * kind.itemsize}.")
        numbers: NDArray[Any] = np.frombuffer(content, dtype=kind)
        values: list[Any] = numbers.tolist()
        return values
    texts: list[Any] = []
    place = 0
    while place < len(content):
        size = int.from_bytes(content[place : place + 4], "little")
        text = bytes(content[place + 4 : place + 4 + size])
        if len(text) != size or place + 4 > len(content):
            raise bad_request(f"{where}: a text is longer than the bytes that are left.")
        try:
            texts.append(text.decode())
        except UnicodeDecodeError:
            raise bad_request(f"{where}: a text is not UTF-8.") from None
        place += 4 + size
    return texts

"""Tensors of the Open Inference Protocol: JSON or binary, as its specification and its extension say."""

import math
import struct
from collections.abc import Iterator, Mapping, Sequence
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
            values: Sequence[Any] = _flat(given.get("data"), where)
            _check_values(values, datatype, where)
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


def _check_values(values: Sequence[Any], datatype: str, where: str) -> None:
    kinds: Mapping[str, tuple[type, ...]] = {TEXT: (str,), "BOOL": (bool,)}
    allowed = kinds.get(datatype, (int, float) if datatype.startswith("FP") else (int,))
    if any(value is not None and type(value) not in allowed for value in values):
        raise bad_request(f"{where}: `data` holds values that are not {datatype}.")


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
